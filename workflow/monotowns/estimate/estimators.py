"""The estimators that a specification may name: what each reads, and what its rows must satisfy.

A new estimator is one function and one line of :data:`ESTIMATORS`. What it reads of a
specification stands in its signature: a parameter of :data:`FIELDS` is a field of that name (needed
unless it has a default), any other one an option. Schema, reference page and checks follow.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Literal, get_args, get_origin

from monotowns.estimate import regression, sample, staggered
from monotowns.estimate.instrumental import iv_and_sets
from monotowns.estimate.record import Fit
from monotowns.run.errors import ConfigError, DesignError, InputError
from monotowns.run.schema import nearest

#: Fields of a specification that an estimator may read.
FIELDS = (
    "outcome",
    "treatment",
    "cluster",
    "base",
    "instruments",
    "controls",
    "fixed_effects",
    "weights",
    "variances",
)
#: What a run gives every estimator that asks for it.
GIVEN = ("rows", "draws", "seed")


@dataclass(frozen=True)
class Estimator:
    """An estimator and its conditions.

    Attributes
    ----------
    function : callable
        Takes ``rows`` and what its other parameters name; returns a Fit or a list of them.
    conditions : tuple of callable
        Each takes rows and specification and raises a DesignError where it fails.
    """

    function: Callable
    conditions: tuple[Callable, ...] = ()

    @property
    def reads(self) -> list[str]:
        """Fields of a specification that the function reads."""
        return [name for name in signature(self.function).parameters if name in FIELDS]

    @property
    def needs(self) -> list[str]:
        """Fields without which it cannot run."""
        parameters = signature(self.function).parameters
        return [name for name in self.reads if parameters[name].default is parameters[name].empty]

    @property
    def options(self) -> dict[str, object]:
        """Further arguments with what each may be: a type, or the values of a Literal."""
        return {
            name: parameter.annotation
            for name, parameter in signature(self.function).parameters.items()
            if name not in (*FIELDS, *GIVEN, "window")
        }

    def fit(self, rows, name: str, spec: dict, draws: int, seed: int) -> list[Fit]:
        """Check the rows and estimate a specification on them.

        Raises
        ------
        DesignError
            A condition fails, or the estimator refuses the rows, or a library stopped.
        """
        for condition in (*sample.ALWAYS, *self.conditions):
            condition(rows, spec)
        given = {"draws": draws, "seed": seed, **spec.get("options", {})}
        given |= {field: spec[field] for field in self.reads if field in spec}
        taken = {k: v for k, v in given.items() if k in signature(self.function).parameters}
        try:
            found = self.function(rows, **taken)
        except InputError:
            raise
        except Exception as error:
            traceback.print_exc()
            fault = f"{type(error).__name__}: {error}"
            raise DesignError(name, "the estimator stopped on these rows", found=fault) from error
        return found if isinstance(found, list) else [found]


#: Every estimator by its name in the specifications.
ESTIMATORS = {
    "ols": Estimator(regression.ols, (sample.treatment_varies,)),
    "event_study": Estimator(
        regression.event_study, (sample.treatment_varies, sample.base_year_is_seen)
    ),
    "iv": Estimator(iv_and_sets, (sample.treatment_varies,)),
    "imputation": Estimator(staggered.imputation),
    "callaway_santanna": Estimator(staggered.callaway_santanna),
    "sun_abraham": Estimator(staggered.sun_abraham),
    "two_stage": Estimator(staggered.two_stage),
    "local_projections": Estimator(staggered.local_projections),
    "stacked": Estimator(staggered.stacked),
}


def check_fields(spec: dict, where: str) -> None:
    """Refuse a specification with a field that its estimator needs and lacks, or does not read.

    Raises
    ------
    ConfigError
        It names the estimators that read the field, the nearest option, or the values it may have.
    """
    name, estimator = spec["estimator"], ESTIMATORS[spec["estimator"]]
    for field in FIELDS:
        if spec.get(field) and field not in estimator.reads:
            readers = [other for other, of in ESTIMATORS.items() if field in of.reads]
            raise ConfigError(
                where,
                f"{field} is not read by the estimator {name}",
                found=spec[field],
                expected=f"one of the estimators that read it: {', '.join(readers)}",
                remedy=f"leave {field} out",
            )
        if field in estimator.needs and field not in spec:
            raise ConfigError(where, f"the estimator {name} needs {field}")
    several = not isinstance(spec["treatment"], str)
    treatments = spec["treatment"] if several else [spec["treatment"]]
    regressors = {*treatments, *spec.get("controls", []), *spec.get("instruments", [])}
    if both := sorted(regressors & set(spec.get("fixed_effects", []))):
        raise ConfigError(where, "a column is both absorbed and a regressor", keys=both)
    if several and estimator.function is not regression.ols:
        raise ConfigError(where, f"{name} takes one treatment", found=spec["treatment"])
    if spec.get("variances") and spec.get("weights"):
        raise ConfigError(where, "further variances are written for unweighted fits only")
    for option, value in spec.get("options", {}).items():
        if option not in estimator.options:
            remedy = nearest(option, estimator.options) if estimator.options else "leave it out"
            raise ConfigError(where, f"{name} has no option '{option}'", remedy=remedy)
        kind = estimator.options[option]
        fits = value in get_args(kind) if is_choice(kind) else type(value) is kind
        if not fits:
            expected = ", ".join(get_args(kind)) if is_choice(kind) else kind.__name__
            raise ConfigError(where, f"option {option}", expected=expected, found=value)


def is_choice(kind) -> bool:
    """Whether an option is one of some listed values."""
    return get_origin(kind) is Literal
