"""From what the paper shows back to the bytes it came from.

``rules`` reads what the workflow's files say, ``records`` what the jobs left of what they did;
``trace`` joins both for everything that the paper shows.
"""
