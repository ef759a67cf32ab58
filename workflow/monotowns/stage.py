"""How a script runs its main function: a user's error is one message, not a traceback."""

import sys

from monotowns.errors import InputError


def run(main, **arguments):
    """Call ``main``; print an :class:`InputError` alone and exit with code 2."""
    try:
        main(**arguments)
    except InputError as error:
        print(f"\n{error}\n", file=sys.stderr)
        sys.exit(2)
