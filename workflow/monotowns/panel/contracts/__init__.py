"""What every table must satisfy, alone and beside the others.

``schemas`` holds columns, ranges and keys (``cases`` tells each of their rules apart);
``identities`` and ``panel`` what must add up or be one to one, of the sources and of what is
built from them; ``counts`` how many rows there are; ``verdicts`` judges all of them.
"""

from monotowns.panel.contracts.schemas import check

__all__ = ["check"]
