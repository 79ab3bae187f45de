"""A real server, a real Chromium, and visitors: a test fails on an error in the console or a breach of the CSP."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.organiser import ADMIN_PASSWORD, Organiser
from tests.browser.visitor import Visitor

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
SERVER_STARTS_MAX_LINES = 200
SERVER_STOPS_MAX_S = 30
SEEN_MAX_MS = 20_000
"""How long a test waits for what must be seen; far more than it takes."""

Arrive = Callable[..., Visitor]


@pytest.fixture(scope="package")
def server_url() -> Iterator[str]:
    """The address of a server with the demo data. A module that adds events has one of its own."""
    yield from a_server()


def a_server(**settings: str) -> Iterator[str]:
    """Run a server with the demo data in a process of its own, and yield its address once."""
    with tempfile.TemporaryDirectory(prefix="usher-", ignore_cleanup_errors=True) as folder:
        server = ServerProcess(Path(folder), **settings)
        try:
            yield server.start()
        finally:
            server.stop()


class ServerProcess:
    """A server with the demo data; its folder is its own. Started again it has the port that it had."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = settings
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start it, and answer its address when it takes requests."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DB_", "REDIS_"))}
        environment |= {"USHER_RATE_LIMIT": "off", "ADMIN_PASSWORD": ADMIN_PASSWORD} | self._settings
        where = ("--port", str(self._port), "--data-dir", str(self._folder / "data"))
        command = [sys.executable, "-m", "server", "serve", *where, "--demo"]
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        url = _address_of(self._process, self._folder / "log")
        self._port = int(url.rpartition(":")[2])
        return url

    def kill(self) -> None:
        """End the process as a power cut would; its engines live on and are found by the next one."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def stop(self) -> None:
        """End it and its engines."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=SERVER_STOPS_MAX_S)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium; each visitor gets a context of their own."""
    if CHROMIUM is None:
        pytest.fail("the browser tests need Chromium (Debian: apt-get install chromium)")
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else [*FLAGS]
    expect.set_options(timeout=SEEN_MAX_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def arrive(browser: Browser, server_url: str) -> Iterator[Arrive]:
    """Make visitors: `arrive(width=320)`. At the end nobody's console may have an error that was not expected."""
    visitors: list[Visitor] = []

    def make(*, width: int = 1280, height: int = 800, locale: str = "en-US", **options: Any) -> Visitor:
        context = browser.new_context(
            base_url=server_url,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            locale=locale,
            timezone_id="Europe/Berlin",
            **options,
        )
        visitors.append(Visitor(context))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.context.close()
    assert [error for visitor in visitors for error in visitor.errors] == []


@pytest.fixture
def visitor(arrive: Arrive) -> Visitor:
    """One visitor at a desk, not signed in."""
    return arrive()


@pytest.fixture(scope="module")
def organiser(browser: Browser, server_url: str) -> Iterator[Organiser]:
    """Who makes events for the tests."""
    one = Organiser(browser, server_url)
    yield one
    one.context.close()


def _address_of(server: "subprocess.Popen[str]", log: Path) -> str:
    assert server.stdout is not None
    for _ in range(SERVER_STARTS_MAX_LINES):
        line = server.stdout.readline()
        if line.startswith("ready http"):
            return line.split()[1]
        if line == "" and server.poll() is not None:
            break
    raise AssertionError(f"the server did not start:\n{log.read_text()[-4000:]}")
