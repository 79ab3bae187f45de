"""The REST side of a server, as a bot sees it.

BotError     the server did what the contract does not allow
  Diverged   … the map that it shows is not the one that its patches make
ServerAway   no answer, or none yet: the same may be asked again
"""

import asyncio
from typing import Any

import aiohttp
from msgspec import Struct

PATIENCE_S = 60.0
SIGN_UP_S = 600.0
"""A server that protects itself may let few people sign up each minute."""


class BotError(Exception):
    """The server did something that the contract does not allow."""


class Diverged(BotError):
    """The server has shown a map that cannot be."""


class ServerAway(Exception):
    """The server did not answer, or is not able to just now. `wait_s`: it said how long; 0: it did not."""

    def __init__(self, text: str, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Customer(Struct, frozen=True):
    """An account that is signed in; `name` is its id."""

    name: str
    session_id: str


class Rest:
    """One server for many customers: each call names its session."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url.rstrip("/")

    async def call(
        self, method: str, path: str, body: object = None, session_id: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and envelope of one request under `/api/v1`.

        Raises:
            ServerAway: no answer, or one that asks to try again.
            BotError: an answer without the envelope of the contract, or a fault of the server.
        """
        headers = {} if session_id is None else {"X-Session-Id": session_id}
        url = f"{self.url}/api/v1{path}"
        try:
            async with self.http.request(method, url, json=body, headers=headers) as answer:
                status, envelope = answer.status, await answer.json()
                wait = answer.headers.get("Retry-After", "")
        except aiohttp.ContentTypeError as problem:
            raise BotError(f"{method} {path}: {problem.status} without an envelope") from problem
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            raise ServerAway(f"{method} {path}: {type(problem).__name__} {problem}") from problem
        except ValueError as problem:
            raise BotError(f"{method} {path}: not JSON") from problem
        if not isinstance(envelope, dict) or not isinstance(envelope.get("success"), bool):
            raise BotError(f"{method} {path}: {status} {envelope}")
        if status in (429, 503):
            wait_s = float(wait) if wait.isascii() and wait.isdigit() else 0.0
            raise ServerAway(f"{method} {path}: {status} {envelope.get('code')}", wait_s)
        if status >= 500:
            raise BotError(f"{method} {path}: {status} {envelope}")
        return status, envelope

    async def patiently(
        self,
        method: str,
        path: str,
        body: object = None,
        session_id: str | None = None,
        *,
        patience_s: float = PATIENCE_S,
    ) -> tuple[int, dict[str, Any]]:
        """As `call`, asked again for `patience_s` while the server is away, and not before it says."""
        loop, pause_s = asyncio.get_running_loop(), 0.05
        give_up = loop.time() + patience_s
        while True:
            try:
                return await self.call(method, path, body, session_id)
            except ServerAway as problem:
                if loop.time() > give_up:
                    raise
                wait_s = problem.wait_s
            await asyncio.sleep(max(pause_s, wait_s))
            pause_s = min(2 * pause_s, 1.0)

    async def sign_up(self, email: str, password: str, name: str) -> str:
        """Make an account if it is new, sign in; answers the session id. Waits where the server is overloaded."""
        account = {"email": email, "password": password, "name": name}
        status, envelope = await self.patiently("POST", "/auth/register", account, patience_s=SIGN_UP_S)
        if status != 201 and envelope.get("code") != "user_exists":
            raise BotError(f"register: {status} {envelope}")
        login = {"email": email, "password": password}
        status, envelope = await self.patiently("POST", "/auth/login", login, patience_s=SIGN_UP_S)
        if status != 200:
            raise BotError(f"login: {status} {envelope}")
        return str(envelope["data"]["sessionId"])

    async def customer_of(self, session_id: str) -> str:
        """The id of the customer whose session this is."""
        status, envelope = await self.patiently("GET", "/auth/me", session_id=session_id)
        if status != 200:
            raise BotError(f"me: {status} {envelope}")
        return str(envelope["data"]["id"])

    async def ws_ticket(self, session_id: str) -> str:
        """A ticket for a socket."""
        status, envelope = await self.call("POST", "/auth/ws-ticket", session_id=session_id)
        if status != 200:
            raise BotError(f"ws-ticket: {status} {envelope}")
        return str(envelope["data"]["ticket"])
