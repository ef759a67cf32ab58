"""Inference that the estimators' own variances do not give: resampling, space, sensitivity, power."""
