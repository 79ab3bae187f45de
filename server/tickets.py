"""Tickets that prove themselves: what a QR code carries, and the picture of it.

A code is `USHER1.<key id>.<document>.<signature>`, the last two in URL-safe base64 without padding. The document is
canonical JSON: `event` and `ticket` (UUIDs) and `seat` (its index in the event). The signature is that of
`server.signing` for the kind `ticket`. Whoever has the public keys (`GET /api/v1/signing-keys`) verifies offline
that we have issued it, for that seat. Whether it was cancelled since, or used already, only the server knows.
"""

import base64
import binascii
import io
from typing import NamedTuple
from uuid import UUID

import msgspec
import segno

from server.signing import Signature, SigningKeys, canonical

PREFIX = "USHER1"
QUIET_ZONE = 4
"""Modules of white around a code, ISO/IEC 18004."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed. A seat that is sold again after a cancellation has another ticket."""

    event: UUID
    seat: int
    ticket: UUID


class Parts(NamedTuple):
    """A code taken apart. Nothing of it is verified yet."""

    document: bytes
    signature: Signature


async def code_of(keys: SigningKeys, document: Document) -> str:
    """Sign a ticket. The same ticket and key give the same code: Ed25519 is deterministic."""
    raw = canonical(document)
    key_id, signature = await keys.sign("ticket", raw)
    return ".".join((PREFIX, key_id, _text(raw), _text(signature)))


def parts_of(code: str) -> Parts:
    """Take a code apart. Raises ValueError for what is none."""
    fields = code.split(".")
    if len(fields) != 4 or fields[0] != PREFIX:
        raise ValueError("This is no ticket code")
    return Parts(_raw(fields[2]), Signature(fields[1], _raw(fields[3])))


async def verified(keys: SigningKeys, code: str) -> Document | None:
    """The ticket of a code that one of our keys has signed; None for any other text."""
    try:
        parts = parts_of(code)
        if not await keys.verify("ticket", parts.document, parts.signature):
            return None
        return msgspec.json.decode(parts.document, type=Document)
    except (ValueError, msgspec.DecodeError):
        return None


def qr_svg(code: str) -> str:
    """The code as an SVG picture, black on white with its quiet zone, error correction M."""
    out = io.BytesIO()
    segno.make(code, error="m", micro=False, boost_error=False).save(
        out, kind="svg", border=QUIET_ZONE, dark="#000", light="#fff", xmldecl=False, omitsize=True, nl=False
    )
    return out.getvalue().decode()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as problem:
        raise ValueError("This is no ticket code") from problem
    if _text(raw) != text:
        raise ValueError("This is another spelling of a ticket code: there is only one")
    return raw
