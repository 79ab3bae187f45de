"""Storms on the real actors. `USHER_SIM_SEED=42` runs the one storm of that seed."""

import os

import pytest

from tests.simulation.storm import climate_of, storm
from tests.simulation.weather import CLIMATES

GIVEN = os.environ.get("USHER_SIM_SEED")
SEEDS = [int(GIVEN)] if GIVEN else list(range(1, 4 * len(CLIMATES) + 1))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed}-{climate_of(seed)}")
def test_no_promise_is_broken_in(seed: int) -> None:
    """On failure the message names the seed, and what was found."""
    outcome = storm(seed)
    assert outcome.attempts > 300
    assert outcome.revisions > 100


def test_a_storm_can_be_seen_again() -> None:
    assert storm(4711, "everything") == storm(4711, "everything")


def test_no_two_storms_are_alike() -> None:
    assert storm(1, "calm").trace != storm(2, "calm").trace
