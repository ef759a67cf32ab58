"""Numbers, claims, tables and text of the manuscript."""
