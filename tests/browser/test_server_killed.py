"""kill -9 of the server while somebody has chosen and holds seats: the page comes back, with everything."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ServerProcess
from tests.browser.visitor import COLDPLAY, Visitor


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A server of its own."""
    with tempfile.TemporaryDirectory(prefix="usher-", ignore_cleanup_errors=True) as folder:
        one = ServerProcess(Path(folder))
        try:
            yield one
        finally:
            one.stop()


@pytest.fixture(scope="module")
def server_url(server: ServerProcess) -> str:
    """Where the visitors go."""
    return server.start()


def test_the_page_outlives_its_server(visitor: Visitor, server: ServerProcess) -> None:
    visitor.expect_error("ERR_CONNECTION_REFUSED|WebSocket connection|503")
    visitor.sign_up()
    visitor.open_event(COLDPLAY)
    held, chosen = visitor.index_of("Floor", "C", 5), visitor.index_of("Floor", "C", 6)
    visitor.hold(held)
    visitor.seat(chosen).click()

    server.kill()
    expect(visitor.connection).to_have_attribute("data-connection", "reconnecting")
    expect(visitor.connection).to_contain_text("last update")
    visitor.page.get_by_role("button", name="Hold 1 more seat").click()  # kept, and sent when it is back
    server.start()
    expect(visitor.connection).to_have_attribute("data-connection", "live")
    for seat in (held, chosen):
        expect(visitor.seat(seat)).to_have_attribute("data-look", "mine")
    visitor.page.get_by_role("button", name="Pay $800").click()
    expect(visitor.page.locator("[data-ticket]")).to_have_count(2)
