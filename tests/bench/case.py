"""One row of the benchmark table."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Work done by this project and by a peer on the same data.

    Attributes
    ----------
    work : str
        What is computed and on how much, as the table prints it.
    prepare : callable
        ``prepare(scale)`` simulates the data (seed fixed); scale 1 is the size that ``work`` names.
    ours, peer : callable
        Take what ``prepare`` returned; each returns the numbers that both should agree on.
    peer_name : str
        Package and function.
    slow : bool
        The peer needs more than some seconds: at the full size it runs in ``make bench-all`` only.
    tolerance : float
        Largest relative difference between the two results that still counts as the same answer.
    peer_scale : float
        Size at which both are compared when not all is asked for (a smaller one spares time).
    """

    work: str
    prepare: Callable
    ours: Callable
    peer: Callable
    peer_name: str
    slow: bool = False
    tolerance: float = 1e-6
    peer_scale: float = 1.0
