"""Seat maps from a few numbers or from the plans that venues already have, and their publication."""
