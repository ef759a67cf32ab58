"""Estimators, each behind one function that returns :class:`monotowns.estimates.Fit`."""
