"""The settings of one server process: read once from the environment, passed down, never changed."""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from server.door.door_settings import DoorSettings
from server.draws.beacon_address import BeaconAddress
from server.engines.addresses import PostgresAddress, RedisAddress
from server.mail.smtp_address import SmtpAddress
from server.settings_error import SettingsError as SettingsError  # noqa: PLC0414 (told to mypy: it is exported)

DEFAULT_PORT = 3001
DEFAULT_CORS_ORIGIN = "http://localhost:5173"
PORT_MAX = 65535
PASSWORD_CHARACTERS_MAX = 128

_TOKEN = re.compile(r"[!-~]+")
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """What one server process is told from outside.

    `database` and `redis` are None where the embedded engine in `data_dir` is meant; `port` 0 is any free
    port. `public_origin` is what browsers have in their address bar; None: whatever a request says that it is for.
    `smtp` None: no mail is sent.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    data_dir: Path = Path(".data")
    demo: bool = True
    workers: int = 1
    database: PostgresAddress | None = None
    redis: RedisAddress | None = None
    cors_origin: str = DEFAULT_CORS_ORIGIN
    public_origin: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    is_rate_limited: bool = True
    door: DoorSettings = field(default_factory=DoorSettings)
    metrics_token: str | None = field(default=None, repr=False)
    smtp: SmtpAddress | None = None
    node_name: str = "usher"
    has_lobby_challenge: bool = False
    beacon: BeaconAddress | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.port <= PORT_MAX:
            raise SettingsError(f"The port must be a number from 0 to {PORT_MAX}, not {self.port}")
        if self.workers < 1:
            raise SettingsError(f"The number of workers must be at least 1, not {self.workers}")
        if self.workers > 1 and self.port == 0:
            raise SettingsError("Several workers share one port: it cannot be 0")
        if self.smtp is not None and self.public_origin is None:
            # What a request says that it is for, anybody can say who asks for somebody else's mail.
            raise SettingsError("USHER_SMTP_URL needs USHER_PUBLIC_ORIGIN, too: what the links in mails begin with")

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **overrides: Any) -> Self:
        """The settings of the environment `environ`; an override that is not None wins over it.

        A variable that is set but empty counts as not set. Demo data are made by default with the embedded
        PostgreSQL only.

        Raises SettingsError for a bad value, TypeError for an override that is no setting.
        """
        env = {name: value for name, value in environ.items() if value.strip()}
        unknown = overrides.keys() - {setting.name for setting in fields(cls)}
        if unknown:
            raise TypeError(f"No such setting: {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {
            "port": _port(env, "PORT", DEFAULT_PORT),
            "database": _database(env),
            "redis": _redis(env),
            "cors_origin": _origin(env, "CORS_ORIGIN", DEFAULT_CORS_ORIGIN),
            "public_origin": _public_origin(env),
            "admin_password": _admin_password(env),
            "is_rate_limited": _switch(env, "USHER_RATE_LIMIT"),
            "has_lobby_challenge": _switch(env, "USHER_LOBBY_CHALLENGE", "off"),
            "beacon": BeaconAddress.from_env(env),
            "door": DoorSettings.from_env(env),
            "metrics_token": _token(env, "USHER_METRICS_TOKEN"),
            "smtp": SmtpAddress.from_env(env),
        }
        values |= {name: value for name, value in overrides.items() if value is not None}
        values.setdefault("demo", values["database"] is None)
        values.setdefault("node_name", f"{platform.node() or 'usher'}:{values['port']}")
        return cls(**values)


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default)).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= PORT_MAX):
        raise SettingsError(f"{name} must be a number from 0 to {PORT_MAX}, not {text!r}")
    return int(text)


def _database(env: Mapping[str, str]) -> PostgresAddress | None:
    if "DB_HOST" not in env:
        return None
    return PostgresAddress(
        host=env["DB_HOST"],
        port=_port(env, "DB_PORT", 5432),
        user=env.get("DB_USER", "ticketmaster"),
        password=env.get("DB_PASSWORD", "ticketmaster_secret"),
        database=env.get("DB_NAME", "ticketmaster"),
    )


def _redis(env: Mapping[str, str]) -> RedisAddress | None:
    if "REDIS_HOST" not in env:
        return None
    return RedisAddress(
        host=env["REDIS_HOST"],
        port=_port(env, "REDIS_PORT", 6379),
        password=env.get("REDIS_PASSWORD"),
    )


def _public_origin(env: Mapping[str, str]) -> str | None:
    name = "USHER_PUBLIC_ORIGIN"
    return _origin(env, name, "https://tickets.example.org") if name in env else None


def _origin(env: Mapping[str, str], name: str, example: str) -> str:
    """One origin as browsers send it: scheme, host in lower case, port where it is not the usual one."""
    text = env.get(name, example).strip()
    refusal = f"{name} must be one origin such as {example}, not {text!r}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(refusal) from error
    extras = parts.path.rstrip("/") or parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in ("http", "https") or not host or extras or not _HOST.fullmatch(host):
        raise SettingsError(refusal)
    host = f"[{host}]" if ":" in host else host
    is_usual = port in (None, {"http": 80, "https": 443}[parts.scheme])
    return f"{parts.scheme}://{host}" if is_usual else f"{parts.scheme}://{host}:{port}"


def _admin_password(env: Mapping[str, str]) -> str | None:
    password = env.get("ADMIN_PASSWORD")
    if password is not None and len(password) > PASSWORD_CHARACTERS_MAX:
        raise SettingsError(f"ADMIN_PASSWORD may have at most {PASSWORD_CHARACTERS_MAX} characters")
    return password


def _token(env: Mapping[str, str], name: str) -> str | None:
    token = env.get(name)
    if token is not None and not _TOKEN.fullmatch(token):
        raise SettingsError(f"{name} must be one word of ASCII characters: it is sent in a header")
    return token


def _switch(env: Mapping[str, str], name: str, default: str = "on") -> bool:
    text = env.get(name, default).strip().lower()
    if text not in ("on", "off"):
        raise SettingsError(f"{name} must be on or off, not {text!r}")
    return text == "on"
