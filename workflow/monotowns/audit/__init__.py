"""From what the paper shows back to the bytes it came from.

``rules`` describes the rules as Snakemake knows them, ``records`` what the jobs did;
``trace`` joins both for everything that the paper shows.
"""
