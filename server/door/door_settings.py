"""The settings of the door: how often one may ask, how many may be connected, which proxies are believed."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from server.door.client_addresses import Network
from server.settings_error import SettingsError

CONNECTIONS_PER_ADDRESS = 2_000
LIMIT_MAX = 1_000_000


@dataclass(frozen=True)
class DoorSettings:
    """How often, how many, and who is believed.

    `…_per_minute` are requests: those of one customer to reserve, to check out and to join a queue, the others of
    one session, and those of one address without a session. `joins_per_address` a minute are of all customers
    who come from there. `logins_per_address` may fail within ten minutes: a
    whole campus may come from one address. 0 lifts a limit. `connections_max` None: as many as the
    files that the process may open allow.
    """

    reserve_per_minute: int = 20
    checkout_per_minute: int = 5
    join_per_minute: int = 5
    joins_per_address: int = 600
    other_per_minute: int = 100
    address_per_minute: int = 6_000
    logins_per_address: int = 600
    connections_max: int | None = None
    connections_per_address: int = CONNECTIONS_PER_ADDRESS
    trusted_proxies: tuple[Network, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The door's part of the environment `env`.

        Raises:
            SettingsError
        """
        return cls(
            reserve_per_minute=_limit(env, "USHER_RATE_RESERVE", cls.reserve_per_minute),
            checkout_per_minute=_limit(env, "USHER_RATE_CHECKOUT", cls.checkout_per_minute),
            join_per_minute=_limit(env, "USHER_RATE_JOIN", cls.join_per_minute),
            joins_per_address=_limit(env, "USHER_JOINS_PER_ADDRESS", cls.joins_per_address),
            other_per_minute=_limit(env, "USHER_RATE_OTHER", cls.other_per_minute),
            address_per_minute=_limit(env, "USHER_RATE_ADDRESS", cls.address_per_minute),
            logins_per_address=_limit(env, "USHER_LOGINS_PER_ADDRESS", cls.logins_per_address),
            connections_max=_limit(env, "USHER_CONNECTIONS_MAX", 0) or None,
            connections_per_address=_limit(env, "USHER_CONNECTIONS_PER_ADDRESS", cls.connections_per_address),
            trusted_proxies=_networks(env, "USHER_TRUSTED_PROXIES"),
        )


def _limit(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default)).strip().lower()
    if text == "off":
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and int(text) <= LIMIT_MAX):
        raise SettingsError(f"{name} must be off or a number from 0 to {LIMIT_MAX}, not {text!r}")
    return int(text)


def _networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    texts = [text.strip() for text in env.get(name, "").split(",")]
    try:
        return tuple(ipaddress.ip_network(text) for text in texts if text)
    except ValueError as problem:
        raise SettingsError(
            f"{name} must be addresses or networks such as 10.0.0.0/8, by commas: {problem}"
        ) from None
