"""Which beacon new draws are bound to."""

import re
from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from server.settings_error import SettingsError

URL, CHAIN = "USHER_BEACON_URL", "USHER_BEACON_CHAIN"
_CHAIN = re.compile(r"[0-9a-f]{64}")


class BeaconAddress(NamedTuple):
    """A relay such as https://api.drand.sh, and the hash of one of its chains."""

    url: str
    chain: bytes

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self | None:
        """The beacon of the environment; None: there is none. Raises SettingsError."""
        if URL not in env and CHAIN not in env:
            return None
        if URL not in env or CHAIN not in env:
            raise SettingsError(f"{URL} and {CHAIN} belong together: set both or none")
        url, chain = env[URL].strip().rstrip("/"), env[CHAIN].strip().lower()
        try:
            parts = urlsplit(url)
            is_plain = parts.username is None and not parts.query and not parts.fragment
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain
        except ValueError:
            is_url = False
        if not is_url:
            raise SettingsError(f"{URL} must be the address of a relay such as https://api.drand.sh, not {url!r}")
        if not _CHAIN.fullmatch(chain):
            raise SettingsError(f"{CHAIN} must be the hash of a chain, 64 hexadecimal digits, not {chain!r}")
        return cls(url, bytes.fromhex(chain))
