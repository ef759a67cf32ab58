"""Estimators: from a specification's rows to result records."""
