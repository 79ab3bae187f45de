"""Scenes of one seat manager: the output gate, the group commit, a store that fails, time."""

import asyncio

import pytest
from msgspec import UNSET

from actors.core.model import Stage
from actors.core.verdict import Asked, ChangeTerms
from actors.ports import OwnershipLost, PersonalNews
from actors.seat_manager import ManagerSettings, SeatManager
from actors.told import Told
from protocol.inbound import Checkout, ExtendHold, HoldSeats, ReleaseSeats
from protocol.outbound import EventNow, HoldNow, HoldReason, Rejected
from tests.simulation.stage import EVENT, OPENING_MS, Heard, SceneNode, new_database, settle_down
from tests.simulation.virtual_time import scene


@scene
async def test_nothing_leaves_before_the_commit_is_known() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.store.script = ["gate"]
    heard = node.hold("ada", 1)
    await asyncio.sleep(60)
    assert (heard.frames, node.audience.news, node.mirror.holds[EVENT]) == ([], [], {})
    (manager,) = node.supervisor.managers
    assert manager.seating.counts.held == 0, "snapshots see committed state only"
    node.store.gate.set()
    await settle_down()
    assert heard.code == "accepted"
    assert [news.seats for news in node.audience.news] == [{1: 1}]
    assert list(node.mirror.holds[EVENT]) == ["ada"]


@scene
async def test_what_comes_while_a_batch_is_written_goes_with_the_next_one() -> None:
    node = SceneNode(new_database(), "n1", batch_commands_max=3)
    node.store.script = ["gate"]
    first = node.hold("ada", 0)
    await settle_down()
    others = [node.hold(f"customer-{seat}", seat) for seat in range(1, 6)]
    await settle_down()
    assert len(node.store.sent) == 1
    node.store.gate.set()
    await settle_down()
    assert [len(batch.entries) for batch in node.store.sent] == [1, 3, 2]
    assert {heard.code for heard in (first, *others)} == {"accepted"}


@scene
async def test_batches_are_smaller_while_too_much_waits() -> None:
    node = SceneNode(new_database(), "n1", batch_commands_max=3, crowded_batch_commands_max=2)
    node.store.script = ["gate"]
    node.hold("ada", 0)
    await settle_down()
    others = [node.tell(f"stranger-{number}", ExtendHold("x")) for number in range(3)]
    others += [node.hold(f"customer-{seat}", seat) for seat in range(1, 8)]
    await settle_down()
    node.store.gate.set()
    await settle_down()
    assert all(one.frames for one in others)
    assert [len(batch.lookups) for batch in node.store.sent] == [1, 2, 2, 3, 3]


@scene
async def test_the_answers_of_a_batch_are_given_while_the_next_one_is_written() -> None:
    node = SceneNode(new_database(), "n1", batch_commands_max=2)
    node.store.script = ["", "gate"]
    first = [node.hold("ada", 0), node.hold("bob", 1)]
    later = [node.hold("cyd", 2), node.hold("dan", 3)]
    await settle_down()
    assert len(node.store.sent) == 2
    assert [one.code for one in first] == ["accepted", "accepted"]
    assert [one.frames for one in later] == [[], []]
    node.store.gate.set()
    await settle_down()
    assert [one.code for one in later] == ["accepted", "accepted"]


@pytest.mark.parametrize("waiting", [0, 1])
def test_what_a_customer_is_told_last_is_true_on_every_socket(waiting: int) -> None:
    """Two tabs in one batch: the answer of the first must not come after the news of what the second has undone."""

    @scene
    async def play() -> None:
        node = SceneNode(new_database(), "n1", batch_commands_max=2)
        news_before_the_answer: list[int] = []
        hold = Asked("ada", HoldSeats("a", (1,)))

        def answered(_frame: bytes, _refusal: Rejected | None) -> None:
            news_before_the_answer.append(len(node.audience.personal))

        node.supervisor.tell(EVENT, Told(hold, answered, "first tab"))
        node.tell("ada", ReleaseSeats("b", (1,)), "second tab")
        for number in range(waiting):
            node.hold(f"customer-{number}", 2 + number)
        await settle_down()
        assert news_before_the_answer == [0]
        assert node.audience.personal[0] == PersonalNews(
            "ada", HoldNow((), None, 0, HoldReason.COMMAND), "second tab"
        )

    play()


@pytest.mark.parametrize("end", ["the lease runs out", "the next batch cannot be decided"])
def test_a_committed_batch_is_answered_even_if_the_manager_ends_with_the_next_one(end: str) -> None:
    @scene
    async def play() -> None:
        node = SceneNode(new_database(), "n1", batch_commands_max=1)
        node.store.script = ["gate"]
        first, second = node.hold("ada", 0), node.hold("bob", 1)
        await settle_down()
        (manager,) = node.supervisor.managers
        if end == "the lease runs out":
            node.lease.has_run_out = True
        else:
            del manager.seating.terms
        node.store.gate.set()
        await settle_down()
        assert (first.code, second.code) == ("accepted", "try_again")

    play()


@scene
async def test_a_full_inbox_is_answered_at_once() -> None:
    node = SceneNode(new_database(), "n1", inbox_commands_max=2, batch_commands_max=2)
    node.store.script = ["gate"]
    node.hold("ada", 0)
    await settle_down()
    heard = [node.hold(f"customer-{seat}", seat) for seat in range(1, 5)]
    assert [one.frames != [] for one in heard] == [False, False, True, True]
    assert [one.code for one in heard[2:]] == ["overloaded", "overloaded"]
    assert isinstance(heard[2].answer, Rejected)
    assert heard[2].answer.retry_after_ms is not UNSET
    node.store.gate.set()
    await settle_down()
    assert [one.code for one in heard[:2]] == ["accepted", "accepted"]


@scene
async def test_a_full_waiting_line_of_an_event_that_is_being_loaded_is_answered_at_once() -> None:
    node = SceneNode(new_database(), "n1", inbox_commands_max=2)
    heard = [node.hold(f"customer-{seat}", seat) for seat in range(3)]
    assert heard[2].code == "overloaded"
    await settle_down()
    assert [one.code for one in heard] == ["accepted", "accepted", "overloaded"]


@pytest.mark.parametrize("lost", ["lost before", "lost after"])
def test_an_unknown_outcome_is_asked_again_and_counts_once(lost: str) -> None:
    @scene
    async def play() -> None:
        database = new_database()
        node = SceneNode(database, "n1")
        node.store.script = [lost, lost, lost]
        heard = node.hold("ada", 1)
        await asyncio.sleep(1)
        assert heard.code == "accepted"
        assert len(node.store.sent) == 4
        assert all(batch is node.store.sent[0] for batch in node.store.sent)
        assert database.events[EVENT].revision == 1
        assert len(database.events[EVENT].journal) == 1

    play()


@scene
async def test_while_the_store_is_away_new_commands_are_told_to_try_again() -> None:
    node = SceneNode(new_database(), "n1")
    assert node.hold("zoe", 7).frames == []
    await settle_down()
    node.store.is_away = True
    early = node.hold("ada", 1)
    await asyncio.sleep(0.9)
    patient = node.hold("bob", 2)
    await asyncio.sleep(0.9)
    late = node.hold("cyd", 3)
    assert (early.frames, patient.frames, late.code) == ([], [], "try_again")
    node.store.is_away = False
    await asyncio.sleep(1)
    assert (early.code, patient.code) == ("accepted", "accepted")
    assert node.tell("cyd", HoldSeats("again", (3,))).frames == []


@scene
async def test_a_head_that_stays_locked_counts_as_a_store_that_is_away() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("zoe", 7)
    await settle_down()
    database.events[EVENT].head_is_locked = True
    waiting = node.hold("ada", 1)
    await asyncio.sleep(1.9)
    assert (waiting.frames, node.hold("bob", 2).code) == ([], "try_again")
    database.events[EVENT].head_is_locked = False
    await asyncio.sleep(1)
    assert waiting.code == "accepted"


@scene
async def test_a_locked_seat_concerns_its_commands_alone() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    database.events[EVENT].locked_seats.update({1, 2})
    heard = [node.hold("ada", 0, 1), node.hold("bob", 3), node.hold("cyd", 2)]
    await settle_down()
    assert [one.code for one in heard] == ["busy", "accepted", "busy"]
    assert isinstance(heard[0].answer, Rejected)
    assert heard[0].answer.seats == (1,)
    database.events[EVENT].locked_seats.clear()
    again = node.hold("ada", 0, 1)
    await asyncio.sleep(1)
    assert again.code == "accepted"


@scene
async def test_a_hold_on_a_locked_seat_ends_when_the_lock_does() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    await asyncio.sleep(599)
    database.events[EVENT].locked_seats.add(1)
    await asyncio.sleep(5)
    assert list(database.events[EVENT].hold_rows) == ["ada"]
    assert len(node.store.sent) < 2_000, "it is not asked for without end"
    database.events[EVENT].locked_seats.clear()
    await asyncio.sleep(0.5)
    assert database.events[EVENT].hold_rows == {}


@scene
async def test_a_straggler_that_meets_a_lock_is_kept_out_by_a_new_term() -> None:
    """Its first try broke on the way; the second one met a lock. Whatever is sent next, the first may arrive."""
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("zoe", 7)
    await settle_down()
    event = database.events[EVENT]
    event.locked_seats.add(1)
    node.store.script = ["lost before"]
    both = [node.hold("ada", 1), node.hold("bob", 2)]
    await asyncio.sleep(0.01)
    assert [one.code for one in both] == ["try_again", "try_again"]
    await asyncio.sleep(1)
    assert database.events[EVENT].term == 2
    again = node.hold("cyd", 3)
    await settle_down()
    assert again.code == "accepted"
    database.events[EVENT].locked_seats.clear()
    (straggler,) = node.store.stragglers
    with pytest.raises(OwnershipLost):
        database.commit(straggler)
    both = [node.hold("ada", 1), node.hold("bob", 2)]
    await settle_down()
    assert [one.code for one in both] == ["accepted", "accepted"]


@scene
async def test_a_repeat_that_is_known_by_heart_asks_nobody() -> None:
    node = SceneNode(new_database(), "n1")
    first = node.hold("ada", 1)
    await settle_down()
    sent = len(node.store.sent)
    again = node.hold("ada", 1)
    await settle_down()
    assert again.frames == first.frames
    assert len(node.store.sent) == sent


@scene
async def test_a_hold_ends_on_time() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    await asyncio.sleep(3)
    node.hold("ada", 1)
    await asyncio.sleep(300)
    node.tell("ada", ExtendHold("x"))
    await asyncio.sleep(1_000)
    (row,) = [row for row in database.events[EVENT].journal if row.entry.kind == "expired"]
    assert row.written_at == pytest.approx(903, abs=0.05)
    assert row.written_at >= 903
    ended = node.audience.news[-1]
    assert ended.seats == {1: 0}
    assert [one.message for one in ended.personal] == [HoldNow((), None, 0, "expired")]  # type: ignore[arg-type]


@scene
async def test_a_command_is_known_after_a_restart() -> None:
    database = new_database()
    first = SceneNode(database, "n1").hold("ada", 1)
    await settle_down()
    database.living.clear()
    node = SceneNode(database, "n2")
    same = node.hold("ada", 1)
    other = node.tell("ada", ReleaseSeats("hold-ada-(1,)", ()))
    await settle_down()
    assert same.frames == first.frames
    assert other.code == "id_reused"
    assert database.events[EVENT].revision == 1


@scene
async def test_who_waits_when_it_stops_is_told() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    await settle_down()
    node.store.script = ["gate"]
    paying = node.tell("ada", Checkout("pay", "card"))
    await settle_down()
    waiting = node.hold("bob", 2)
    stop = asyncio.create_task(node.supervisor.stop())
    await settle_down()
    late = node.hold("cyd", 3)
    assert (waiting.frames, late.code, stop.done()) == ([], "try_again", False)
    node.store.gate.set()
    await stop
    assert (waiting.code, paying.code) == ("try_again", "try_again")
    assert database.events[EVENT].owner is None
    assert len(database.events[EVENT].orders) == 1, "the batch under way was finished"


@scene
async def test_without_a_lease_nothing_is_written_or_read() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    await settle_down()
    node.lease.has_run_out = True
    heard = node.hold("bob", 2)
    await settle_down()
    assert heard.code == "try_again"
    assert database.events[EVENT].revision == 1
    with pytest.raises(Exception, match=EVENT):
        await node.supervisor.seating(EVENT)


@scene
async def test_time_goes_on_evenly_whatever_the_stores_clock_does() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    claim = await node.store.claim(EVENT)
    assert claim is not None
    manager = await SeatManager.load(claim, node.ports, ManagerSettings())
    assert manager.now_ms() == OPENING_MS
    database.clock_ms = lambda: 0
    await asyncio.sleep(12.5)
    assert manager.now_ms() == OPENING_MS + 12_500


@scene
async def test_changed_terms_are_announced_and_hold_from_their_answer_on() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    assert (await _said(node.hold("ada", 1))) == "accepted"
    node.store.script = ["gate"]
    closed = node.tell("admin", ChangeTerms("close", stage=Stage.CANCELLED))
    await settle_down()
    late = node.hold("bob", 2)
    await settle_down()
    assert (closed.frames, late.frames) == ([], []), "nothing is said before the commit"
    node.store.gate.set()
    assert (await _said(closed), await _said(late)) == ("accepted", "not_on_sale")
    said = [message.status for message in node.audience.announced if isinstance(message, EventNow)]
    assert said == ["on_sale", "cancelled"]
    assert database.events[EVENT].terms.stage is Stage.CANCELLED


async def _said(heard: Heard) -> str:
    await settle_down()
    return heard.code
