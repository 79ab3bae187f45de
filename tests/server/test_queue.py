"""The waiting room's routes, where there is no waiting room."""

from datetime import timedelta

import pytest

from tests.server.parts import SHARED, Usher

pytestmark = SHARED

UNKNOWN = "550e8400-e29b-41d4-a716-446655449999"


async def test_everybody_is_let_in_at_once(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    let_in = {"position": 0, "status": "active", "estimated_wait_seconds": 0}
    for method, verb in (("POST", "join"), ("GET", "status"), ("POST", "join")):
        reply = await usher.rest(method, f"/queue/{event_id}/{verb}", by=ada)
        assert (reply.status, reply.data) == (200, let_in)
    left = await usher.rest("POST", f"/queue/{event_id}/leave", by=ada)
    assert (left.status, list(left.data)) == (200, ["message"])
    stats = await usher.rest("GET", f"/queue/{event_id}/stats")
    assert (stats.status, stats.data) == (200, {"queueLength": 0, "activeCount": 0, "estimatedWait": 0})


@pytest.mark.parametrize(
    ("method", "verb"), [("POST", "join"), ("GET", "status"), ("POST", "leave"), ("GET", "stats")]
)
async def test_an_unknown_event_has_no_line(usher: Usher, method: str, verb: str) -> None:
    ada = await usher.customer()
    for event_id in (UNKNOWN, "x", "0"):
        reply = await usher.rest(method, f"/queue/{event_id}/{verb}", by=ada)
        assert (reply.status, reply.body["code"]) == (404, "event_not_found")


@pytest.mark.parametrize(("method", "verb"), [("POST", "join"), ("GET", "status"), ("POST", "leave")])
async def test_strangers_do_not_stand_in_line(usher: Usher, method: str, verb: str) -> None:
    reply = await usher.rest(method, f"/queue/{await usher.event()}/{verb}")
    assert (reply.status, reply.body["error"]) == (401, "Authentication required")


async def test_nobody_waits_for_what_is_over(usher: Usher) -> None:
    event_id, ada = await usher.event(event_in=timedelta(days=-1)), await usher.customer()
    for method, verb in (("POST", "join"), ("GET", "status")):
        reply = await usher.rest(method, f"/queue/{event_id}/{verb}", by=ada)
        assert (reply.status, reply.body["code"]) == (400, "not_on_sale")
