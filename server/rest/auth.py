"""Accounts and sessions: register, login, logout, me, and the ticket for a socket."""

import re
from uuid import uuid4

import asyncpg
import msgspec
from aiohttp import web

from protocol.limits import NAME_CHARS_MAX
from server.passwords import PasswordsOverloaded, weakness
from server.rest.door import clear_cookie, customer, set_cookie
from server.rest.envelope import Refused, iso, ok, read_body
from server.rest.operations import Operations, Who
from server.rest.shapes import Moment, Role, User
from server.services import Services, services
from server.statements import sql

EMAIL_CHARS_MAX = 254

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


class SignedIn(msgspec.Struct):
    """A new session. Its id is told once."""

    user: User
    sessionId: str  # noqa: N815 (the contract's word)
    expiresAt: Moment  # noqa: N815 (the contract's word)


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
        503: ("overloaded",),
    },
)
async def register(request: web.Request) -> web.Response:
    """Make an account; it is not signed in yet."""
    wanted = await read_body(request, Registration, "Email, password and name are required")
    email, name = wanted.email.strip(), wanted.name.strip()
    if not email or not name or not wanted.password:
        raise Refused(400, "Email, password and name are required", "missing_field")
    if len(email) > EMAIL_CHARS_MAX or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise Refused(400, "This is not an e-mail address", "bad_email")
    if len(name) > NAME_CHARS_MAX:
        raise Refused(400, f"Name must be at most {NAME_CHARS_MAX} characters", "bad_name")
    if sentence := weakness(wanted.password):
        raise Refused(400, sentence, "weak_password")
    parts = services(request)
    password_hash = await _hash(parts, wanted.password)
    row = await parts.database.fetchrow(sql("register_customer"), uuid4(), email, name, password_hash, parts.now())
    if row is None:
        raise Refused(400, "User already exists", "user_exists")
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
    """Begin a session with a new id; told in the body and as a cookie."""
    shown = await read_body(request, Credentials, "Email and password are required")
    email = shown.email.strip()
    if not email or not shown.password:
        raise Refused(400, "Email and password are required", "missing_field")
    parts = services(request)
    row = await _verified(parts, email, shown.password)
    session_id, expires_at = await parts.sessions.create(row["id"])
    response = ok(SignedIn(_user(row), session_id, iso(expires_at)))
    set_cookie(request, response, session_id, expires_at)
    return response


@operations.post("/api/v1/auth/logout", who=Who.SIGNED_IN)
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
    return ok(User(session.customer_id, session.email, session.name, Role(session.role)))


@operations.post("/api/v1/auth/ws-ticket", who=Who.SIGNED_IN, data=SocketTicket)
async def ws_ticket(request: web.Request) -> web.Response:
    """A ticket that lets one socket in as this session, within 30 s."""
    ticket, expires_at = await services(request).sessions.make_ticket(await customer(request))
    return ok(SocketTicket(ticket, iso(expires_at)))


async def _verified(parts: Services, email: str, password: str) -> asyncpg.Record:
    """The account with this address and password; a wrong one and an unknown one look and take the same."""
    throttle, name = parts.failed_logins, email.casefold()[:EMAIL_CHARS_MAX]
    wait_s = throttle.wait_s(name) if parts.settings.is_rate_limited else 0
    if wait_s:
        raise Refused(429, "Too many failed attempts, try again later", "rate_limited", retry_after_s=wait_s)
    row = await parts.database.fetchrow(sql("customer_by_email"), email)
    stored = row["password_hash"] if row is not None else None
    try:
        is_right = await parts.passwords.verify(stored, password)
    except PasswordsOverloaded as error:
        raise _overloaded(error) from None
    if row is None or not is_right:
        throttle.failed(name)
        raise Refused(401, "Invalid credentials", "invalid_credentials")
    throttle.succeeded(name)
    if parts.passwords.is_outdated(row["password_hash"]):
        await _hash_again(parts, row, password)
    return row


async def _hash_again(parts: Services, account: asyncpg.Record, password: str) -> None:
    """Store the password with today's parameters; another time will do when there is much to do."""
    try:
        new_hash = await parts.passwords.hash(password)
    except PasswordsOverloaded:
        return
    await parts.database.execute(sql("set_password_hash"), account["id"], account["password_hash"], new_hash)


async def _hash(parts: Services, password: str) -> str:
    try:
        return await parts.passwords.hash(password)
    except PasswordsOverloaded as error:
        raise _overloaded(error) from None


def _overloaded(error: PasswordsOverloaded) -> Refused:
    sentence = "Too many people are signing in, try again"
    return Refused(503, sentence, "overloaded", retry_after_s=error.retry_after_s)


def _user(account: asyncpg.Record) -> User:
    return User(account["id"], account["email"], account["name"], Role(account["role"]))
