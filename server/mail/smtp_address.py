"""Where and as whom mail is handed over: `USHER_SMTP_URL` and `USHER_MAIL_FROM`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from typing import Self
from urllib.parse import unquote, urlsplit

from server.settings_error import SettingsError

_USUAL_PORTS = {"smtp": 587, "smtps": 465}
_FROM = re.compile(r"(?:(?P<name>[^<>]*)<(?P<in_brackets>[^<>\s]+)>|(?P<bare>[^<>\s]+))")


@dataclass(frozen=True)
class SmtpAddress:
    """An SMTP server and the sender. `is_tls`: from the first byte on; else STARTTLS where the server offers it."""

    host: str
    port: int
    sender: Address
    is_tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self | None:
        """The server of the environment `env`, or None where no mail is sent.

        Raises:
            SettingsError: for a bad value, or for one of the two variables without the other.
        """
        if "USHER_SMTP_URL" not in env:
            if "USHER_MAIL_FROM" in env:
                raise SettingsError("USHER_MAIL_FROM needs USHER_SMTP_URL, too")
            return None
        if "USHER_MAIL_FROM" not in env:
            raise SettingsError("USHER_SMTP_URL needs USHER_MAIL_FROM, too: the address that mails come from")
        # The value is not repeated: there may be a password in it.
        refusal = "USHER_SMTP_URL must be such as smtp://user:password@mail.example.org:587, or smtps://…"
        try:
            parts = urlsplit(env["USHER_SMTP_URL"].strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            raise SettingsError(refusal) from None
        is_whole = parts.path.rstrip("/") or parts.query or parts.fragment
        if parts.scheme not in _USUAL_PORTS or not host or is_whole or (parts.username and parts.password is None):
            raise SettingsError(refusal)
        return cls(
            host,
            port or _USUAL_PORTS[parts.scheme],
            _sender(env["USHER_MAIL_FROM"].strip()),
            parts.scheme == "smtps",
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


def _sender(text: str) -> Address:
    """`tickets@example.org`, or `The Hall <tickets@example.org>`."""
    found = _FROM.fullmatch(text)
    try:
        if found is None or not text.isprintable():
            raise ValueError
        name = (found["name"] or "").strip().strip('"')
        address = Address(display_name=name, addr_spec=found["in_brackets"] or found["bare"])
        if not address.username or not address.domain:
            raise ValueError
    except Exception:  # for what is no address the library raises all kinds, AttributeError too
        raise SettingsError(f"USHER_MAIL_FROM must be an e-mail address, not {text!r}") from None
    return address
