"""Hypothesis without a stop-watch: a slow machine is no finding. Failures print what repeats them."""

from hypothesis import settings

settings.register_profile("usher", deadline=None, print_blob=True)
settings.load_profile("usher")
