"""The chain on simulated panels that are some times larger than the study's."""
