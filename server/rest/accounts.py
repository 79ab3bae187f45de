"""Passwords and mails of accounts: change, reset, confirm an address. Nobody learns here whether there is one."""

import msgspec
from aiohttp import web

from server.door.who_asks import customer, set_cookie
from server.people.account_mails import mail_budget
from server.people.accounts import Account, BadToken, Purpose, new_device
from server.rest import attempts
from server.rest.auth import caller, hash_new, is_email
from server.rest.envelope import Refused, iso, ok, read_body
from server.rest.operations import Operations, Who
from server.rest.shapes import Moment, Said
from server.services import Services, services
from server.statements import sql

operations = Operations("accounts")

_BAD_TOKEN = {
    BadToken.UNKNOWN: "This link is not valid. It may be cut short",
    BadToken.USED: "This link has been used already",
    BadToken.EXPIRED: "This link has run out. Ask for a new one",
}
_TOKEN_REFUSALS = tuple(_BAD_TOKEN)


class PasswordChange(msgspec.Struct):
    """What a customer says to have another password."""

    current_password: str
    new_password: str


class PasswordChanged(msgspec.Struct, rename="camel"):
    """The session that goes on in place of the one that asked. Its id is told once."""

    message: str
    session_id: str
    expires_at: Moment


class Forgotten(msgspec.Struct):
    """Whose password is forgotten."""

    email: str


class PasswordReset(msgspec.Struct):
    """What came by mail, and the password that is chosen."""

    token: str
    new_password: str


class MailedToken(msgspec.Struct):
    """What came by mail."""

    token: str


@operations.post(
    "/api/v1/auth/password",
    who=Who.SIGNED_IN,
    body=PasswordChange,
    data=PasswordChanged,
    refusals={
        400: ("missing_field", "weak_password", "wrong_password"),
        429: ("rate_limited",),
        503: ("overloaded",),
    },
)
async def change_password(request: web.Request) -> web.Response:
    """Choose another password. All sessions end, and their sockets are closed; a new one begins for who asks."""
    session = await customer(request)
    said = await read_body(request, PasswordChange, "The current and the new password are required")
    if not said.current_password or not said.new_password:
        raise Refused(400, "The current and the new password are required", "missing_field")
    parts = services(request)
    guesses = attempts.guesses("password", str(session.customer_id))
    async with attempts.trying(request, guesses):
        stored = await parts.database.fetchval(sql("password_of"), session.customer_id)
        is_right = await parts.passwords.verify(stored, said.current_password)
    if not is_right:
        raise _wrong_password()
    await parts.throttle.forgive(guesses)
    new_hash = await hash_new(parts, said.new_password, session.email, session.name)
    new = await parts.accounts.change_password(
        session.customer_id, stored, new_hash, caller(request), attempts.device(request)
    )
    if new is None:
        raise _wrong_password()
    said_back = "Password changed. You are signed out everywhere else"
    response = ok(PasswordChanged(said_back, new.id, iso(new.expires_at)))
    set_cookie(request, response, new.id, new.expires_at)
    return response


@operations.post(
    "/api/v1/auth/password-reset",
    body=Forgotten,
    data=Said,
    refusals={400: ("missing_field", "bad_email"), 429: ("rate_limited",)},
)
async def ask_for_reset(request: web.Request) -> web.Response:
    """Have a link mailed that a new password can be chosen with. The answer says nothing of whether it was."""
    email = (await read_body(request, Forgotten, "Email is required")).email.strip()
    if not email:
        raise Refused(400, "Email is required", "missing_field")
    if not is_email(email):
        raise Refused(400, "This is not an e-mail address", "bad_email")
    await attempts.begin(request, *attempts.from_address(request, "reset"))
    services(request).account_mails.send_reset(email)
    return ok(Said("If there is an account with this address, a mail is on its way"))


@operations.post(
    "/api/v1/auth/password-reset/confirm",
    body=PasswordReset,
    data=Said,
    refusals={400: ("missing_field", "weak_password", *_TOKEN_REFUSALS), 503: ("overloaded",)},
)
async def reset_password(request: web.Request) -> web.Response:
    """Choose a new password with what came by mail. All sessions end; the address counts as confirmed.

    The browsers that the account knew are forgotten; this one is known from now on.
    """
    said = await read_body(request, PasswordReset, "Token and new password are required")
    if not said.token or not said.new_password:
        raise Refused(400, "Token and new password are required", "missing_field")
    parts = services(request)
    account = await _owner(parts, Purpose.RESET_PASSWORD, said.token)
    new_hash = await hash_new(parts, said.new_password, account.email, account.name)
    if not await parts.accounts.reset_password(said.token, new_hash):
        raise _bad_token(BadToken.USED)
    await parts.throttle.forgive(attempts.logins_of(account.id))
    # Whoever reads the owner's mail is the owner: known, so that strangers who guess do not keep this browser out.
    device = new_device()
    await parts.accounts.remember(account.id, device)
    response = ok(Said("Password changed. Sign in with it"))
    attempts.keep_device(request, response, device)
    return response


@operations.post(
    "/api/v1/auth/verify-email",
    body=MailedToken,
    data=Said,
    refusals={400: ("missing_field", *_TOKEN_REFUSALS)},
)
async def verify_email(request: web.Request) -> web.Response:
    """Confirm an address with what came by mail."""
    token = (await read_body(request, MailedToken, "Token is required")).token
    if not token:
        raise Refused(400, "Token is required", "missing_field")
    parts = services(request)
    await _owner(parts, Purpose.VERIFY_EMAIL, token)
    if not await parts.accounts.verify_email(token):
        raise _bad_token(BadToken.USED)
    return ok(Said("Thank you, your e-mail address is confirmed"))


@operations.post(
    "/api/v1/auth/verify-email/resend", who=Who.SIGNED_IN, data=Said, refusals={429: ("rate_limited",)}
)
async def resend_verification(request: web.Request) -> web.Response:
    """Have the mail sent again that asks to confirm my address."""
    session, parts = await customer(request), services(request)
    if session.is_email_verified or await parts.accounts.is_email_verified(session.customer_id):
        return ok(Said("Your e-mail address is confirmed already"))
    await attempts.begin(request, mail_budget("verification", session.customer_id))
    parts.account_mails.send_verification(session.customer_id, session.email)
    return ok(Said("A mail is on its way"))


async def _owner(parts: Services, purpose: Purpose, token: str) -> Account:
    """Whose token this is, while it can be used.

    Raises:
        Refused: 400
    """
    found = await parts.accounts.look_at(purpose, token)
    if isinstance(found, BadToken):
        raise _bad_token(found)
    return found


def _bad_token(why: BadToken) -> Refused:
    return Refused(400, _BAD_TOKEN[why], why)


def _wrong_password() -> Refused:
    return Refused(400, "The current password is wrong", "wrong_password")
