"""Accounts and sessions: register, login, logout, me, and the ticket for a socket."""

import re
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import msgspec
from aiohttp import hdrs, web

from protocol.limits import NAME_CHARS_MAX
from server.door.forwarded import asked_by
from server.door.who_asks import clear_cookie, customer, set_cookie
from server.people.accounts import Device, new_device
from server.people.passwords import PasswordsOverloaded, weakness
from server.people.sessions import Caller, CannotBegin
from server.rest import attempts
from server.rest.envelope import Refused, iso, ok, read_body
from server.rest.operations import Operations, Who
from server.rest.shapes import Moment, Role, User
from server.services import Services, services
from server.statements import sql

EMAIL_CHARS_MAX = 254
USER_AGENT_CHARS_MAX = 300

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")

operations = Operations("accounts")


class Registration(msgspec.Struct):
    """What a new customer says."""

    email: str
    password: str
    name: str


class Credentials(msgspec.Struct):
    """What a customer says to sign in."""

    email: str
    password: str


class SignedIn(msgspec.Struct, rename="camel"):
    """A new session. Its id is told once."""

    user: User
    session_id: str
    expires_at: Moment


class SocketTicket(msgspec.Struct):
    """What lets one socket in."""

    ticket: str
    expires_at: Moment


@operations.post(
    "/api/v1/auth/register",
    body=Registration,
    status=201,
    data=User,
    refusals={
        400: ("missing_field", "bad_email", "bad_name", "weak_password", "user_exists"),
        429: ("rate_limited",),
        503: ("overloaded",),
    },
)
async def register(request: web.Request) -> web.Response:
    """Make an account; it is not signed in yet. A mail asks to confirm the address."""
    wanted = await read_body(request, Registration, "Email, password and name are required")
    email, name = wanted.email.strip(), wanted.name.strip()
    if not email or not name or not wanted.password:
        raise Refused(400, "Email, password and name are required", "missing_field")
    if not is_email(email):
        raise Refused(400, "This is not an e-mail address", "bad_email")
    if len(name) > NAME_CHARS_MAX:
        raise Refused(400, f"Name must be at most {NAME_CHARS_MAX} characters", "bad_name")
    parts = services(request)
    refuse_weak(wanted.password, email, name)
    async with attempts.trying(request, *attempts.from_address(request, "register")):
        # Before the work: who only asks for addresses that are taken keeps nobody waiting.
        if await parts.database.fetchval(sql("is_email_taken"), email):
            raise _user_exists()
        password_hash = await parts.passwords.hash(wanted.password, is_newcomer=True)
    row = await parts.database.fetchrow(sql("register_customer"), uuid4(), email, name, password_hash, parts.now())
    if row is None:
        raise _user_exists()
    parts.account_mails.send_verification(row["id"], row["email"])
    return ok(_user(row), 201)


@operations.post(
    "/api/v1/auth/login",
    body=Credentials,
    data=SignedIn,
    refusals={
        400: ("missing_field",),
        401: ("invalid_credentials",),
        429: ("rate_limited",),
        503: ("overloaded",),
    },
)
async def login(request: web.Request) -> web.Response:
    """Begin a session with a new id; told in the body and as a cookie. The browser is known from now on."""
    shown = await read_body(request, Credentials, "Email and password are required")
    email = shown.email.strip()
    if not email or not shown.password:
        raise Refused(400, "Email and password are required", "missing_field")
    parts = services(request)
    account, password_hash, device = await _verified(request, email, shown.password)
    try:
        session_id, expires_at = await parts.sessions.create(account["id"], caller(request), password_hash)
    except CannotBegin:
        raise Refused(503, "This account was changed just now, try again", "try_again") from None
    await parts.accounts.remember(account["id"], device)
    response = ok(SignedIn(_user(account), session_id, iso(expires_at)))
    set_cookie(request, response, session_id, expires_at)
    attempts.keep_device(request, response, device)
    return response


@operations.post("/api/v1/auth/logout", who=Who.SIGNED_IN, pace=None)
async def logout(request: web.Request) -> web.Response:
    """End the session and close its sockets. The customer's holds stay."""
    await services(request).sessions.end(await customer(request))
    response = ok()
    clear_cookie(request, response)
    return response


@operations.get("/api/v1/auth/me", who=Who.SIGNED_IN, data=User)
async def me(request: web.Request) -> web.Response:
    """Who is signed in."""
    session = await customer(request)
    # What was proven stays so; that it is not may be a minute old in the session.
    is_verified = session.is_email_verified or await services(request).accounts.is_email_verified(
        session.customer_id
    )
    return ok(User(session.customer_id, session.email, session.name, Role(session.role), is_verified))


@operations.post("/api/v1/auth/ws-ticket", who=Who.SIGNED_IN, data=SocketTicket)
async def ws_ticket(request: web.Request) -> web.Response:
    """A ticket that lets one socket in as this session, within 30 s."""
    ticket, expires_at = await services(request).sessions.make_ticket(await customer(request))
    return ok(SocketTicket(ticket, iso(expires_at)))


def is_email(text: str) -> bool:
    """May this be an e-mail address? Only a mail to it can tell."""
    return len(text) <= EMAIL_CHARS_MAX and text.isprintable() and _EMAIL.fullmatch(text) is not None


async def hash_new(parts: Services, password: str, email: str, name: str) -> str:
    """The hash of a password that somebody of this address and name has chosen.

    Raises:
        Refused: 400 for a weak one, 503 when too many are waiting.
    """
    refuse_weak(password, email, name)
    try:
        return await parts.passwords.hash(password)
    except PasswordsOverloaded as error:
        raise attempts.overloaded(error) from None


def refuse_weak(password: str, email: str, name: str) -> None:
    """Let nobody of this address and name choose a weak password.

    Raises:
        Refused: 400
    """
    if sentence := weakness(password, email, name):
        raise Refused(400, sentence, "weak_password")


class _Verified(NamedTuple):
    """An account whose password was shown, what it was compared with, and the browser it was shown by."""

    account: asyncpg.Record
    password_hash: str
    device: Device


async def _verified(request: web.Request, email: str, password: str) -> _Verified:
    """The account with this address and password; a wrong one and an unknown one look and take the same."""
    parts, device = services(request), attempts.device(request)
    account = await parts.database.fetchrow(sql("login_account"), email, device.hash if device else b"")
    assert account is not None
    if device is not None and account["knows_device"]:
        guesses = attempts.guesses("login from", f"{account['id']}:{device.hash.hex()}")
        others = []
    else:
        device = device if device is not None and account["is_device_ours"] else new_device()
        guesses = attempts.logins_of(account["id"] or attempts.digest(account["asked"]))
        others = attempts.logins_from(request)
    async with attempts.trying(request, guesses, *others) as attempt:
        is_right = await parts.passwords.verify(account["password_hash"], password)
    if not is_right:
        parts.accounts.logins_failed += 1
        raise Refused(401, "Invalid credentials", "invalid_credentials")
    await parts.throttle.give_back(attempt)
    await parts.throttle.forgive(guesses)
    return _Verified(account, await _up_to_date(parts, account, password), device)


async def _up_to_date(parts: Services, account: asyncpg.Record, password: str) -> str:
    """The stored hash, made with today's parameters; another time will do when there is much to do."""
    stored: str = account["password_hash"]
    if not parts.passwords.is_outdated(stored):
        return stored
    try:
        new_hash = await parts.passwords.hash(password)
    except PasswordsOverloaded:
        return stored
    await parts.database.execute(sql("set_password_hash"), account["id"], stored, new_hash)
    return new_hash


def caller(request: web.Request) -> Caller:
    """What is shown of this request in the list of sessions. Headers may have anything in them, of any length."""
    user_agent = request.headers.get(hdrs.USER_AGENT, "")[:USER_AGENT_CHARS_MAX]
    return Caller("".join(char if char.isprintable() else "?" for char in user_agent), asked_by(request).address)


def _user_exists() -> Refused:
    return Refused(400, "User already exists", "user_exists")


def _user(account: asyncpg.Record) -> User:
    return User(
        account["id"], account["email"], account["name"], Role(account["role"]), account["is_email_verified"]
    )
