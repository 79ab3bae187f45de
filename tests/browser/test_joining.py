"""What a waiting room asks for before somebody may join: the browser does its work, and says what is in the way."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Arrive, a_server
from tests.browser.organiser import Organiser
from tests.browser.test_waiting_room import line, press, queue_event


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """A server that asks for a proof of work."""
    yield from a_server(USHER_LOBBY_CHALLENGE="on")


def challenges(page: Page, change: Any) -> list[dict[str, Any]]:
    """Those that the page is given from now on, each changed before."""
    given: list[dict[str, Any]] = []

    def hand_over(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        change(body["data"])
        given.append(body["data"])
        route.fulfill(response=answer, json=body)

    page.route("**/challenge", hand_over)
    return given


def test_the_browser_works_for_its_place(arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser)
    visitor = arrive()
    sent: list[str] = []
    visitor.page.on("websocket", lambda socket: socket.on("framesent", lambda text: sent.append(str(text))))
    given = challenges(visitor.page, lambda _challenge: None)
    visitor.sign_up()
    visitor.open_event(event_id)
    press(visitor, "join")
    expect(line(visitor, "in")).to_be_visible()
    asked = [json.loads(one) for one in sent if "join_queue" in one]
    assert ["proof" in one for one in asked] == [False, True]
    assert len({one["id"] for one in asked}) == 2
    proof = json.loads(base64.b64decode(asked[1]["proof"]))
    assert proof["challenge"] == {"parameters": given[0]["parameters"], "signature": given[0]["signature"]}


def test_a_proof_that_is_not_taken_is_said_and_the_next_one_is(arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser)
    visitor = arrive()

    def forge(challenge: dict[str, Any]) -> None:
        """Cheaper work: the signature is of another challenge then."""
        challenge["parameters"]["keyPrefix"] = ""

    challenges(visitor.page, forge)
    visitor.sign_up()
    visitor.open_event(event_id)
    press(visitor, "join")
    expect(visitor.page.locator('[data-obstacle="proof_refused"]')).to_contain_text("too late")
    visitor.page.unroute("**/challenge")
    press(visitor, "join")
    expect(line(visitor, "in")).to_be_visible()


def test_no_challenge_is_said(arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser)
    visitor = arrive()
    visitor.page.route("**/challenge", lambda route: route.abort())
    visitor.expect_error("Failed to load resource")
    visitor.sign_up()
    visitor.open_event(event_id)
    press(visitor, "join")
    expect(visitor.page.locator('[data-obstacle="proof_failed"]')).to_be_visible()
    expect(visitor.page.locator('[data-key="join"]')).to_be_enabled()


def test_an_address_has_to_be_confirmed(arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser, waiting_room_verified_email=True)
    visitor = arrive()
    visitor.sign_up()
    visitor.open_event(event_id)
    press(visitor, "join")
    expect(visitor.page.locator('[data-obstacle="email_not_verified"]')).to_contain_text("Confirm your e-mail")
    press(visitor, "send-mail")
    expect(visitor.note.filter(has_text="on its way")).to_be_visible()
