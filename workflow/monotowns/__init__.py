"""The library of the monotowns study: pure functions on frames and arrays.

It knows no file path and no Snakemake; the scripts in ``workflow/scripts`` do the reading and
writing, the rules in ``workflow/rules`` say what comes from what.
"""

__version__ = "0.1.0"
