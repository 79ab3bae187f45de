"""Ids in paths and bodies: opaque strings to the client, UUIDs to us."""

import re
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def uuid_or_none(text: str) -> UUID | None:
    """The UUID written here in its usual form, or None. (`UUID` itself takes braces, URNs and no hyphens too.)"""
    return UUID(text) if _UUID.fullmatch(text) else None
