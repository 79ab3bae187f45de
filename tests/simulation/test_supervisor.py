"""Scenes of a supervisor: events claimed on demand and by the scan, restarted, given up."""

import asyncio
import logging

import pytest

from actors.supervisor import NotOwned
from protocol.seat_state import SeatState
from tests.simulation.stage import EVENT, SceneNode, new_database, settle_down
from tests.simulation.virtual_time import scene


@scene
async def test_an_event_is_claimed_when_a_command_comes() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    assert node.supervisor.loaded(EVENT) is None
    heard = node.hold("ada", 1)
    await settle_down()
    assert heard.code == "accepted"
    assert database.events[EVENT].owner == "n1"
    seating = await node.supervisor.seating(EVENT)
    assert seating is node.supervisor.loaded(EVENT)
    assert seating.revision == 1


@scene
async def test_an_event_of_another_living_node_is_left_alone() -> None:
    database = new_database()
    owner, other = SceneNode(database, "n1"), SceneNode(database, "n2")
    owner.hold("ada", 1)
    await settle_down()
    other.audience.watching.add(EVENT)
    heard = other.hold("bob", 2)
    reading = asyncio.create_task(other.supervisor.seating(EVENT))
    await settle_down()
    assert heard.code == "try_again"
    with pytest.raises(NotOwned):
        await reading
    assert other.audience.watching == set(), "those who watch it here have to go"
    assert database.events[EVENT].owner == "n1"


@scene
async def test_who_is_patient_reads_the_event_once_the_other_node_is_gone() -> None:
    database = new_database()
    owner, other = SceneNode(database, "n1"), SceneNode(database, "n2")
    owner.hold("ada", 1)
    await settle_down()
    reading = asyncio.create_task(other.supervisor.seating_within(EVENT, 5))
    await asyncio.sleep(2)
    assert not reading.done()
    database.living.discard("n1")
    await asyncio.sleep(0.2)
    assert reading.done()
    assert (await reading).revision == 1
    assert database.events[EVENT].owner == "n2"


@scene
async def test_patience_ends() -> None:
    database = new_database()
    owner, other = SceneNode(database, "n1"), SceneNode(database, "n2")
    owner.hold("ada", 1)
    await settle_down()
    begun = asyncio.get_running_loop().time()
    with pytest.raises(NotOwned):
        await other.supervisor.seating_within(EVENT, 5)
    assert asyncio.get_running_loop().time() - begun == pytest.approx(5)


@scene
async def test_an_event_that_does_not_exist_is_nobodys() -> None:
    node = SceneNode(new_database(), "n1")
    with pytest.raises(NotOwned):
        await node.supervisor.seating("no such event")


@scene
async def test_a_second_node_takes_over_and_the_first_one_is_fenced() -> None:
    database = new_database()
    old, new = SceneNode(database, "n1"), SceneNode(database, "n2")
    old.hold("ada", 1)
    await settle_down()
    database.living.discard("n1")
    taken_over = new.hold("bob", 2)
    await settle_down()
    assert taken_over.code == "accepted"
    fenced = old.hold("cyd", 3)
    await settle_down()
    assert fenced.code == "try_again"
    event = database.events[EVENT]
    assert (event.owner, event.term, event.revision) == ("n2", 2, 2)
    assert event.holders == {1: "ada", 2: "bob"}


@scene
async def test_a_neglected_event_is_found_and_its_holds_end() -> None:
    database = new_database()
    SceneNode(database, "n1").hold("ada", 1)
    await settle_down()
    await asyncio.sleep(100)
    database.living.clear()
    node = SceneNode(database, "n2")
    scan = asyncio.create_task(node.supervisor.run())
    await asyncio.sleep(1.1)
    assert database.events[EVENT].owner == "n2"
    await asyncio.sleep(500)
    (row,) = [row for row in database.events[EVENT].journal if row.entry.kind == "expired"]
    assert 600 <= row.written_at < 600.1
    scan.cancel()


@scene
async def test_a_hold_that_ran_out_while_nobody_was_there_ends_at_once() -> None:
    database = new_database()
    SceneNode(database, "n1").hold("ada", 1)
    await settle_down()
    database.living.clear()
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == f"event {EVENT}"]
    task.cancel()
    await asyncio.sleep(2_000)
    node = SceneNode(database, "n2")
    heard = node.hold("bob", 1)
    await settle_down()
    assert heard.code == "accepted"
    assert [row.entry.kind for row in database.events[EVENT].journal] == ["hold", "expired", "hold"]


@scene
async def test_an_idle_event_is_given_up_and_one_with_a_hold_is_not() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    scan = asyncio.create_task(node.supervisor.run())
    node.hold("ada", 1)
    await asyncio.sleep(599)
    assert database.events[EVENT].owner == "n1"
    await asyncio.sleep(59)
    assert database.events[EVENT].owner == "n1"
    await asyncio.sleep(5)
    assert database.events[EVENT].owner is None
    assert node.supervisor.managers == []
    heard = node.hold("ada", 2)
    await settle_down()
    assert heard.code == "accepted"
    scan.cancel()


@scene
async def test_a_watched_event_is_kept() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.audience.watching.add(EVENT)
    scan = asyncio.create_task(node.supervisor.run())
    await asyncio.sleep(500)
    assert database.events[EVENT].owner == "n1"
    node.audience.watching.clear()
    await asyncio.sleep(65)
    assert database.events[EVENT].owner is None
    scan.cancel()


@scene
async def test_what_parted_is_rebuilt_from_the_store(caplog: pytest.LogCaptureFixture) -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    await settle_down()
    event = database.events[EVENT]
    event.states[2], event.holders[2] = SeatState.SOLD, "an operator"
    with caplog.at_level(logging.ERROR):
        heard = node.hold("bob", 2)
        await settle_down()
    assert heard.code == "try_again"
    assert "died and is rebuilt" in caplog.text
    await asyncio.sleep(1)
    again = node.hold("bob", 2)
    await settle_down()
    assert again.code == "seat_taken"
    assert database.events[EVENT].term == 2


@scene
async def test_what_cannot_be_loaded_is_tried_again_with_pauses(caplog: pytest.LogCaptureFixture) -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    event = database.events[EVENT]
    event.head_is_locked = True
    heard = node.hold("ada", 1)
    await asyncio.sleep(20)
    assert heard.code == "try_again"
    assert 5 < caplog.text.count("could not be loaded") < 120
    event.head_is_locked = False
    await asyncio.sleep(6)
    again = node.hold("ada", 1)
    await settle_down()
    assert again.code == "accepted"


@scene
async def test_the_scan_survives_a_store_that_is_away() -> None:
    database = new_database()
    SceneNode(database, "n1").hold("ada", 1)
    await settle_down()
    database.living.clear()
    node = SceneNode(database, "n2")
    node.store.is_away = True
    scan = asyncio.create_task(node.supervisor.run())
    await asyncio.sleep(10)
    node.store.is_away = False
    await asyncio.sleep(1.1)
    assert database.events[EVENT].owner == "n2"
    scan.cancel()


@scene
async def test_stopping_gives_everything_up() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    await settle_down()
    await node.supervisor.stop()
    assert database.events[EVENT].owner is None
    assert node.hold("bob", 2).code == "try_again"
    with pytest.raises(NotOwned):
        await node.supervisor.seating(EVENT)
    other = SceneNode(database, "n2")
    heard = other.hold("bob", 2)
    await settle_down()
    assert heard.code == "accepted"
