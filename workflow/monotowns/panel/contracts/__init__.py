"""What every table must satisfy, alone and beside the others.

``schemas`` holds columns, ranges and keys; ``identities`` and ``panel`` what must add up or be one
to one, of the sources and of what is built from them; ``verdicts`` judges all of them.
"""

from monotowns.panel.contracts.schemas import check

__all__ = ["check"]
