"""Inference beyond an estimator's own variance: resampling, space, sensitivity, power."""

from importlib import import_module

#: Public function -> its module. Imported when asked for, so that a rule depends on no more of the
#: package than it uses.
PUBLIC = {
    "wild_cluster_bootstrap": "cluster",
    "cluster_jackknife": "jackknife",
    "cluster_leverage": "jackknife",
    "conley": "conley",
    "driscoll_kraay": "conley",
    "randomization_test": "randomization",
    "twoway_statistic": "randomization",
    "romano_wolf": "multiple",
    "q_values": "multiple",
}


def __getattr__(name):
    if name in PUBLIC:
        return getattr(import_module(f"{__name__}.{PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
