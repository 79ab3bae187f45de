"""A client that somebody else wrote against the contract, on a page of its own at `CORS_ORIGIN`.

It knows the contract and none of its additions; it must work unchanged.
"""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from server.settings import DEFAULT_CORS_ORIGIN
from tests.browser.conftest import Arrive
from tests.browser.visitor import Visitor

CLIENT = Path(__file__).with_name("contract_client")
PORT = 5173
STEPS = [
    *("browse", "look", "register", "login", "queue", "reserve", "checkout"),
    *("orders", "order", "cancel", "logout"),
]
REFUSED_ON_PURPOSE = r"the server responded with a status of 4\d\d"
WALK_MAX_MS = 60_000
"""Far more than it takes."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves the client's files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's word)
        pass


@pytest.fixture(scope="module", autouse=True)
def shop() -> Iterator[None]:
    """The other shop's own server."""
    with ThreadingHTTPServer(("127.0.0.1", PORT), partial(Quiet, directory=str(CLIENT))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def open_shop(visitor: Visitor, server_url: str, session: str, origin: str = DEFAULT_CORS_ORIGIN) -> None:
    """Open the other shop's page; it does its round by itself.

    Both are called `localhost`: the cookie is SameSite=Lax, and ports do not count there.
    """
    server = server_url.replace("127.0.0.1", "localhost")
    visitor.page.goto(f"{origin}/?session={session}&server={quote(server)}")


@pytest.mark.parametrize("session", ["cookie", "header"])
def test_a_client_of_the_contract_works_unchanged(visitor: Visitor, server_url: str, session: str) -> None:
    assert f"http://localhost:{PORT}" == DEFAULT_CORS_ORIGIN
    visitor.expect_error(REFUSED_ON_PURPOSE)
    open_shop(visitor, server_url, session)
    outcome = visitor.page.locator("#outcome")
    expect(outcome).not_to_be_empty(timeout=WALK_MAX_MS)
    expect(outcome).to_have_text("done")
    assert visitor.page.locator("#steps li").all_text_contents() == STEPS
    cookies = {cookie["name"] for cookie in visitor.context.cookies()}
    assert cookies.isdisjoint({"session", "__Host-session"}), "the logout has cleared it"


def test_a_page_of_another_origin_gets_nothing(arrive: Arrive, server_url: str) -> None:
    visitor = arrive()
    visitor.expect_error(r"CORS policy|net::ERR_FAILED")
    open_shop(visitor, server_url, "cookie", origin=f"http://127.0.0.1:{PORT}")
    expect(visitor.page.locator("#outcome")).to_have_text(re.compile("^failed: Failed to fetch"))
