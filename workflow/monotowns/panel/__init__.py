"""Territories, entities, corrections, contracts: the panel that everything reads."""
