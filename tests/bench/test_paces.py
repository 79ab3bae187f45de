"""When a pace counts as kept."""

from tests.bench.cases_commands import is_kept
from tests.bench.orders import Pace


def test_a_pace_is_kept_when_nearly_all_was_sent() -> None:
    order = Pace(1.0, 1_000)
    assert is_kept(order, {"sent_per_s": 980.0})
    assert not is_kept(order, {"sent_per_s": 979.0})
