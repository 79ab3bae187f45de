"""Attacks the socket of a server for a while, and asks after every case whether all is well.

    python -m tests.fuzz.socket_fuzz --seconds 600 --seed 7
    python -m tests.fuzz.socket_fuzz --seed 7 --case 1234                  # one case again
    python -m tests.fuzz.socket_fuzz --url http://127.0.0.1:3001 --seconds 60

Without `--url` a server of its own is started, with the demo. A server that runs already is to be one of this
machine and to have no rate limits (`USHER_RATE_LIMIT=off`); its log and memory are not looked at. A finding ends
the run: its seed, number and content are printed, and the exit status is 1.
"""

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp
import psutil  # type: ignore[import-untyped]

from bots.event_socket import EventSocket
from bots.rest import BotError, Rest, ServerAway
from protocol.inbound import HoldBest, ReleaseSeats
from protocol.outbound import Accepted
from tests.chaos.crowd import COLDPLAY
from tests.chaos.processes import UsherProcess
from tests.fuzz.cases import FAMILIES
from tests.fuzz.wire import Finding

ATTACKERS = 3
CASES_PER_ATTACKER = 150
"""What an attacker has bought and done counts against it: after so many cases another one takes its place."""
RSS_GROWTH_MAX_BYTES = 120 * 1024 * 1024
CALM_S = 15.0
NOTE_CHARS_MAX = 1_000
"""Of a case's description in the report; the case itself can be had again."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_TROUBLE = re.compile(
    r"Traceback|never retrieved"
    r"|\"exception\": ?[\[\"]|\"level\": ?\"(?:error|critical)\""  # the log as JSON
    r"|\[(?:\x1b\[[\d;]*m)*(?:error|critical)"  # and for people
)

SignIn = Callable[[], Awaitable[str]]
Trouble = Callable[[], list[str]]
"""The bad lines of the server's log since it was asked last."""


class Failed(AssertionError):
    """A finding, with what repeats it."""


class Report(NamedTuple):
    """What was done."""

    cases: Counter[str]
    rss_begin_bytes: int
    rss_end_bytes: int

    def __str__(self) -> str:
        grew = (self.rss_end_bytes - self.rss_begin_bytes) / 1024 / 1024
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.cases.most_common())
        memory = f"; the server grew by {grew:.1f} MB" if self.rss_begin_bytes else ""
        return f"{self.cases.total()} cases without a finding ({kinds}){memory}"


class Fuzz:
    """One run against one event; to be used as a context manager."""

    def __init__(
        self,
        url: str,
        event_id: str,
        seed: int,
        sign_in: SignIn,
        trouble: Trouble,
        process: psutil.Process | None = None,
    ) -> None:
        assert urlsplit(url).hostname in LOOPBACK, "only servers of this machine"
        self.url = url
        self.event_id = event_id
        self.seed = seed
        self._sign_in = sign_in
        self._trouble = trouble
        self._process = process
        self._attackers: list[str] = []
        self._done: Counter[str] = Counter()
        self._note = ""
        self._numbers = count(1)
        self._probe: EventSocket
        self._rest: Rest
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        http = await self._stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        self._rest = Rest(http, self.url)
        self._attackers = [await self._sign_in() for _ in range(ATTACKERS)]
        probe = EventSocket(self._rest, self.event_id, await self._sign_in())
        self._probe = await self._stack.enter_async_context(probe)
        await probe.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def note(self, what: str) -> None:
        """Remember what is being done."""
        self._note = what

    def session(self, rng: random.Random) -> str | None:
        """Somebody's session; None: a stranger."""
        return rng.choice((*self._attackers, None))

    async def ticket(self) -> str:
        """A good ticket."""
        return await self._rest.ws_ticket(self._attackers[0])

    async def run(self, seconds: float, cases_max: int | None = None, first: int = 0) -> Report:
        """Do case after case, until the time is over.

        Raises:
            Failed: a finding.
        """
        end, rss_begin = time.monotonic() + seconds, 0
        for number in count(first):
            if time.monotonic() > end or (cases_max is not None and number >= first + cases_max):
                break
            await self._case(number)
            if self._process is not None and number == first + 100:
                rss_begin = self._process.memory_info().rss
        rss_end = 0 if self._process is None else self._process.memory_info().rss
        if rss_begin and rss_end - rss_begin > RSS_GROWTH_MAX_BYTES:
            raise Failed(f"the server grew from {rss_begin} to {rss_end} bytes")
        try:
            await self._probe.check_map()
        except (BotError, ServerAway) as problem:
            raise Failed(f"the map of a good client: {problem}") from problem
        return Report(self._done, rss_begin, rss_end)

    async def _case(self, number: int) -> None:
        rng = random.Random(f"{self.seed}/{number}")
        family = rng.choices(list(FAMILIES), weights=list(FAMILIES.values()))[0]
        self._note = family.__name__
        try:
            if number and number % CASES_PER_ATTACKER == 0:
                self._attackers = [*self._attackers[1:], await self._sign_in()]
            await family(self, rng)
            await self._all_is_well()
        except (AssertionError, BotError, ServerAway) as problem:
            again, log = f"--seed {self.seed} --case {number}", "\n    ".join(self._trouble()[:30])
            said = f"{problem}\n  {family.__name__}: {self._note[:NOTE_CHARS_MAX]}\n  again: {again}\n  log: {log}"
            raise Failed(said) from problem
        self._done[family.__name__] += 1

    async def _all_is_well(self) -> None:
        """A good client on the same event holds a seat and gives it back, and the log has nothing to say."""
        number = next(self._numbers)
        for command in (HoldBest(f"h{number}", 1), ReleaseSeats(f"r{number}", ())):
            answer = await self._probe.ask(command, CALM_S)
            if not isinstance(answer, Accepted):
                raise Finding(f"a good client was refused: {answer}")
        if lines := self._trouble():
            raise Finding("the server's log: " + "\n    ".join(lines[:30]))


def trouble_in(log: Path) -> Trouble:
    """Reads a log on from where it was read last."""
    read = 0

    def bad_lines() -> list[str]:
        nonlocal read
        with log.open("rb") as file:
            file.seek(read)
            text = file.read()
        read += len(text)
        lines = text.decode("utf-8", "replace").splitlines()
        first = next((at for at, line in enumerate(lines) if _TROUBLE.search(line)), None)
        return [] if first is None else lines[first:]

    return bad_lines


def sign_in_at(rest: Rest) -> SignIn:
    """Makes accounts over REST."""
    numbers = count(1)

    async def sign_in() -> str:
        return await rest.sign_up(f"fuzz-{time.time_ns()}-{next(numbers)}@example.org", "a long password", "Fuzz")

    return sign_in


def connections(process: psutil.Process, port: int) -> int:
    """How many connections a server has."""
    return sum(
        one.laddr.port == port and one.status in (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT)
        for one in process.net_connections("tcp")
    )


@asynccontextmanager
async def own_server(folder: Path) -> AsyncIterator[UsherProcess]:
    """A server process with the demo, and with engines of its own, stopped at the end."""
    server = UsherProcess(folder / "data")
    try:
        await server.start()
        yield server
        await server.stop()
    finally:
        await server.clean_up()


async def fuzz_process(
    server: UsherProcess, seed: int, seconds: float, cases_max: int | None = None, first: int = 0
) -> Report:
    """Attack a server process on a demo event; at the end all its connections are gone."""
    assert server._process is not None
    process = psutil.Process(server._process.pid)
    async with aiohttp.ClientSession() as http:
        sign_in = sign_in_at(Rest(http, server.url))
        async with Fuzz(server.url, COLDPLAY, seed, sign_in, trouble_in(server.log), process) as fuzz:
            report = await fuzz.run(seconds, cases_max, first)
    end = time.monotonic() + CALM_S
    while left := connections(process, server.port):
        if time.monotonic() > end:
            raise Failed(f"{left} connections are left at the server (seed {seed})")
        await asyncio.sleep(0.05)
    return report


async def _main(options: argparse.Namespace) -> int:
    first, cases_max = (0, None) if options.case is None else (options.case, 1)
    try:
        if options.url is None:
            with tempfile.TemporaryDirectory(prefix="usher-fuzz-") as folder:
                async with own_server(Path(folder)) as server:
                    report = await fuzz_process(server, options.seed, options.seconds, cases_max, first)
        else:
            url = options.url.replace("ws", "http", 1) if options.url.startswith("ws") else options.url
            async with aiohttp.ClientSession() as http:
                sign_in = sign_in_at(Rest(http, url))
                async with Fuzz(url, options.event, options.seed, sign_in, list) as fuzz:
                    report = await fuzz.run(options.seconds, cases_max, first)
    except Failed as failed:
        print(f"finding: {failed}", file=sys.stderr)
        return 1
    print(f"seed {options.seed}: {report}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.socket_fuzz", description="Attack the socket of a server."
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--seed", type=int, default=1, help="which cases (1)")
    parser.add_argument("--case", type=int, help="this case alone")
    parser.add_argument("--url", help="a server of this machine that runs already, without rate limits")
    parser.add_argument("--event", default=COLDPLAY, help="which of its events (a demo event that is on sale)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(_options())))
