"""Connections that break: the page comes back by itself, and no command has a second effect."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import COLDPLAY, Visitor, Wire


def test_a_lost_connection_comes_back_with_its_position(arrive: Arrive) -> None:
    visitor, other = arrive(), arrive()
    other.sign_up()
    other.open_event(COLDPLAY)
    wire = Wire(visitor.page)
    visitor.open_event(COLDPLAY)
    seat = visitor.index_of("Block B1", "J", 4)
    seen = visitor.seat(seat)
    assert "revision" not in wire.commands("open")[-1]

    wire.is_cut = True
    wire.cut()
    expect(visitor.connection).to_have_attribute("data-connection", "reconnecting")
    other.hold(other.index_of("Block B1", "J", 4))
    wire.is_cut = False
    expect(visitor.connection).to_have_attribute("data-connection", "live")
    expect(seen).to_have_attribute("data-look", "held")
    assert {"epoch", "revision"} <= wire.commands("open")[-1].keys()


def test_a_lost_patch_is_noticed_and_the_map_asked_for_once(arrive: Arrive) -> None:
    visitor, other = arrive(), arrive()
    other.sign_up()
    other.open_event(COLDPLAY)
    wire = Wire(visitor.page)
    visitor.open_event(COLDPLAY)
    lost, next_one = (other.index_of("Block B1", "K", number) for number in (4, 5))
    seats = [visitor.seat(visitor.index_of("Block B1", "K", number)) for number in (4, 5)]
    opened = len(wire.commands("open"))

    wire.drop.add("patch")
    other.hold(lost)
    wire.wait_for_a_loss("patch")
    wire.drop.clear()
    other.hold(next_one)
    for seat in seats:
        expect(seat).to_have_attribute("data-look", "held")
    assert len(wire.commands("open")) == opened + 1


def test_an_unanswered_command_is_sent_again_with_its_id(visitor: Visitor) -> None:
    visitor.sign_up()
    wire = Wire(visitor.page)
    visitor.open_event(COLDPLAY)
    seat = visitor.index_of("Block B1", "L", 4)
    wire.drop |= {"accepted", "hold"}
    visitor.seat(seat).click()
    button = visitor.page.get_by_role("button", name="Hold 1 seat")
    button.click()
    expect(visitor.page.get_by_role("button", name="Holding")).to_be_disabled()
    wire.wait_for_a_loss("accepted")
    wire.drop.clear()
    wire.cut()
    expect(visitor.seat(seat)).to_have_attribute("data-look", "mine")
    expect(visitor.page.get_by_role("button", name=re.compile("^Pay"))).to_be_enabled()
    ids = [command["id"] for command in wire.commands("hold_seats")]
    assert len(ids) >= 2
    assert len(set(ids)) == 1


def test_a_reload_while_paying_ends_at_the_one_order(visitor: Visitor) -> None:
    visitor.sign_up()
    wire = Wire(visitor.page)
    visitor.open_event(COLDPLAY)
    visitor.hold(visitor.index_of("Block B1", "M", 4))
    wire.drop |= {"accepted", "order", "hold"}
    visitor.page.get_by_role("button", name="Pay $150").click()
    expect(visitor.page.get_by_role("button", name="Paying")).to_be_disabled()
    wire.wait_for_a_loss("accepted")
    wire.drop.clear()
    visitor.page.reload()
    expect(visitor.page).to_have_url(re.compile("/orders/"))
    expect(visitor.page.locator("[data-ticket]")).to_have_count(1)
    assert len({command["id"] for command in wire.commands("checkout")}) == 1
    visitor.page.goto("/orders")
    expect(visitor.page.locator("[data-order]")).to_have_count(1)


def test_a_session_that_ended_elsewhere_leaves_the_map_to_watch(visitor: Visitor) -> None:
    visitor.expect_error("401")
    visitor.sign_up()
    visitor.open_event(COLDPLAY)
    seat = visitor.index_of("Block B1", "N", 4)
    visitor.page.request.post("/api/v1/auth/logout")
    expect(visitor.note).to_contain_text("Your session has ended")
    visitor.wait_for_map()
    visitor.seat(seat).click()
    expect(visitor.page.get_by_role("button", name="Sign in to hold seats")).to_be_visible()
