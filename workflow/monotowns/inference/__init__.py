"""Inference beyond an estimator's own variance: resampling, space, sensitivity, power."""
