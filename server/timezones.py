"""Names of time zones."""

from functools import cache
from zoneinfo import available_timezones


def is_timezone(name: str) -> bool:
    """Is this the IANA name of a time zone, such as Europe/London?"""
    return name in _names()


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
