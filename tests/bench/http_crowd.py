"""Clients over REST: those who reserve a seat and release it, and those who read the same path again and again."""

import asyncio
import random
import time
from collections import deque
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from tests.bench.bot import Broken
from tests.bench.http_client import Answer, HttpClient
from tests.bench.orders import Loop, Order, Pace, Readers, RestBots
from tests.bench.waits import Tally

TICK_S = 0.001


class Errand(Protocol):
    """What the clients are there for."""

    url: str
    count: int

    def request(self, number: int) -> bytes:
        """The next request of the client with this number."""

    def take(self, number: int, answer: Answer) -> None:
        """What the answer means for the next request. Raises Broken when it may not be given."""


class Reserving:
    """Reserve a seat; once it is there, release it."""

    def __init__(self, job: RestBots) -> None:
        self.url = job.url
        self.count = len(job.sessions)
        self._job = job
        self._host = urlsplit(job.url).netloc
        self._dice = random.Random(self.count)
        self._seats: dict[int, int] = {}
        self._has_it: set[int] = set()

    def request(self, number: int) -> bytes:
        """Its next request."""
        does = "release" if number in self._has_it else "reserve"
        if does == "reserve":
            self._seats[number] = self._dice.randrange(self._job.seat_count)
        body = f'{{"seat_ids":["{self._seats[number]}"]}}'
        return (
            f"POST /api/v1/seats/{self._job.event_id}/{does} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"X-Session-Id: {self._job.sessions[number]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def take(self, number: int, answer: Answer) -> None:
        """Does it have the seat now?"""
        if answer.status == 200:
            self._has_it ^= {number}
        elif not (answer.status == 400 and b"seat_taken" in answer.body):
            raise Broken(f"{answer.status} {answer.body[:200]!r}")


class Reading:
    """Ask for the same path, perhaps with the tag of the last answer."""

    def __init__(self, job: Readers) -> None:
        self.url = job.url
        self.count = job.count
        self._job = job
        self._tags: dict[int, bytes] = {}
        self._head = f"GET {job.path} HTTP/1.1\r\nHost: {urlsplit(job.url).netloc}\r\n{job.headers}".encode()

    def request(self, number: int) -> bytes:
        """Its next request."""
        tag = self._tags.get(number, b"")
        return self._head + (b"If-None-Match: %b\r\n\r\n" % tag if tag else b"\r\n")

    def take(self, number: int, answer: Answer) -> None:
        """Remember its tag."""
        if answer.status not in (200, 304):
            raise Broken(f"{answer.status} {answer.body[:200]!r}")
        if self._job.revalidates:
            self._tags[number] = answer.tag


class HttpCrowd:
    """All clients of this process. They connect for each order anew: who says nothing for long is cut off."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._clients: list[HttpClient] = []
        self._idle: deque[HttpClient] = deque()
        self._is_paced = False
        self._tally = Tally()
        self._octets = 0
        self._problem: Exception | None = None

    async def arrive(self) -> None:
        """Nobody needs to be there before an order."""

    async def do(self, order: Order) -> dict[str, float]:
        """Carry an order out. Raises Broken, OSError."""
        if not isinstance(order, Loop | Pace):
            raise Broken(f"HTTP clients know no {order}")
        self._is_paced = isinstance(order, Pace)
        await self._connect()
        pacing = asyncio.create_task(self._ask_all(order))
        try:
            await asyncio.sleep(order.warm_up_s)
            self._tally.begin(0)
            self._octets = 0
            await asyncio.sleep(order.seconds)
            found = self._tally.figures(0)
        finally:
            pacing.cancel()
            self.leave()
        if self._problem is not None:
            raise Broken(str(self._problem))
        answers = found["answered_per_s"] * found["seconds"]
        return found | {"kilobytes": self._octets / 1000 / max(answers, 1.0)}

    def leave(self) -> None:
        """Break all connections off."""
        for client in self._clients:
            client.leave()
        self._clients.clear()
        self._idle.clear()

    async def _connect(self) -> None:
        loop, at = asyncio.get_running_loop(), urlsplit(self._errand.url)
        host, port = at.hostname or "", at.port or 0
        for number in range(self._errand.count):
            make = partial(HttpClient, number, self._answered, self._ended)
            _, client = await loop.create_connection(make, host, port)
            self._clients.append(client)

    async def _ask_all(self, order: Loop | Pace) -> None:
        """Everybody once, or at a pace whoever has nothing under way."""
        if isinstance(order, Loop):
            for client in self._clients:
                client.ask(self._errand.request(client.number))
            return
        self._idle.extend(self._clients)
        began, asked = time.perf_counter(), 0
        while True:
            due = int((time.perf_counter() - began) * order.per_s)
            while asked < due and self._idle:
                client = self._idle.popleft()
                client.ask(self._errand.request(client.number))
                asked += 1
            await asyncio.sleep(TICK_S)

    def _answered(self, client: HttpClient, answer: Answer, wait_s: float) -> None:
        try:
            self._errand.take(client.number, answer)
        except Broken as problem:
            self._problem = self._problem or problem
            return
        self._octets += len(answer.body)
        self._tally.add(wait_s, is_accepted=answer.status == 200)
        if self._is_paced:
            self._idle.append(client)
        else:
            client.ask(self._errand.request(client.number))

    def _ended(self, client: HttpClient) -> None:
        self._problem = self._problem or Broken(f"the connection of client {client.number} was ended")
