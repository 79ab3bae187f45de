"""Hypothesis without a stop-watch, for a slow machine is no finding, and with the same examples each time."""

from hypothesis import settings

settings.register_profile("usher", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("usher")
