"""Figures, one module a group; each has ``draw(frames) -> {name: figure}``."""
