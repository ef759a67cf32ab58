"""Forks of the study, each built and run as its owner would."""
