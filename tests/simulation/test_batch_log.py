"""What the log and the meter hear of batches: which commands they carried, how long they took, which failed."""

import logging
from itertools import count
from typing import Any

import pytest

from actors import batch_log, seat_manager
from actors.core.verdict import Asked, Settle
from actors.told import Told
from protocol.inbound import Checkout, HoldSeats
from protocol.outbound import OrderStatus
from tests.simulation.stage import EVENT, Heard, SceneNode, new_database, settle_down
from tests.simulation.virtual_time import scene


def tell(node: SceneNode, customer: str, seat: int, correlation_id: str) -> Heard:
    heard = Heard()
    asked = Asked(customer, HoldSeats(f"hold-{seat}", (seat,)))
    node.supervisor.tell(EVENT, Told(asked, heard.reply, None, correlation_id))
    return heard


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    """Level, sentence and fields of each line."""
    return [(one.levelno, one.message, vars(one)) for one in caplog.records if one.name == batch_log.__name__]


@pytest.fixture
def debug(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger=batch_log.__name__)
    return caplog


@scene
async def test_a_batch_names_its_commands_and_so_does_its_news(debug: pytest.LogCaptureFixture) -> None:
    node = SceneNode(new_database(), "n1")
    for seat, name in enumerate(("abc", "def", "")):
        tell(node, f"customer-{seat}", seat, name)
    await settle_down()
    ((level, sentence, fields),) = lines(debug)
    assert (level, sentence) == (logging.DEBUG, "batch committed")
    assert {name: fields[name] for name in ("event_id", "term", "revision", "commands", "seats")} == {
        "event_id": EVENT,
        "term": 1,
        "revision": 1,
        "commands": 3,
        "seats": 3,
    }
    assert fields["correlation_ids"] == ("abc", "def")
    assert fields["ms"] >= 0
    assert [news.correlation_ids for news in node.audience.news] == [("abc", "def")]


@scene
async def test_only_so_many_are_named(debug: pytest.LogCaptureFixture) -> None:
    node = SceneNode(new_database(), "n1")
    for number in range(30):
        tell(node, f"customer-{number}", number % 8, f"request-{number}")
    await settle_down()
    ((_, _, fields),) = lines(debug)
    assert fields["commands"] == 30
    assert fields["correlation_ids"] == tuple(f"request-{number}" for number in range(20))


@scene
async def test_a_sale_is_tied_to_the_checkout_that_waited_for_it(debug: pytest.LogCaptureFixture) -> None:
    node = SceneNode(new_database(), "n1")
    tell(node, "ada", 1, "first")
    await settle_down()
    heard = Heard()
    node.supervisor.tell(EVENT, Told(Asked("ada", Checkout("buy", "card")), heard.reply, None, "second"))
    await settle_down()
    debug.clear()
    (order,) = node.payments.wanted.values()
    node.supervisor.settle(EVENT, Settle(order.order_id, "p"))
    await settle_down()
    ((_, _, fields),) = lines(debug)
    assert fields["correlation_ids"] == ("second",)
    assert node.audience.news[-1].correlation_ids == ("second",)
    assert [order.status for order in node.meter.orders] == [OrderStatus.PENDING, OrderStatus.COMPLETED]


@scene
async def test_where_nobody_reads_there_is_nothing_to_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=batch_log.__name__)
    node = SceneNode(new_database(), "n1")
    tell(node, "ada", 1, "abc")
    await settle_down()
    assert lines(caplog) == []
    assert [news.correlation_ids for news in node.audience.news] == [()]
    assert node.meter.batches == [1], "it is counted all the same"


@scene
async def test_a_slow_batch_is_worth_a_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count(0.0, 0.3)
    monkeypatch.setattr(seat_manager, "perf_counter", lambda: next(ticks))
    node = SceneNode(new_database(), "n1")
    tell(node, "ada", 1, "abc")
    await settle_down()
    ((level, sentence, fields),) = lines(caplog)
    assert (level, sentence) == (logging.WARNING, "batch committed")
    assert (fields["ms"], fields["correlation_ids"]) == (300, ("abc",))


@scene
async def test_a_batch_that_fails_is_worth_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    node = SceneNode(new_database(), "n1")
    tell(node, "ada", 1, "abc")
    await settle_down()
    node.lease.has_run_out = True
    heard = tell(node, "ada", 2, "def")
    await settle_down()
    assert heard.code == "try_again"
    ((level, sentence, fields),) = lines(caplog)
    assert (level, sentence) == (logging.WARNING, "batch failed")
    assert (fields["problem"], fields["revision"], fields["correlation_ids"]) == ("OwnershipLost", 1, ("def",))
    assert node.meter.failures == 1
    assert node.meter.batches == [1]
