"""A gzip stream put together from pieces that were compressed apart, so that what did not change costs nothing.

The stream has one member, since not every client reads more. Each piece is a run of deflate blocks that ends at a
byte and refers to nothing before it. Source: RFC 1951 (deflate), RFC 1952 (gzip).
"""

import struct
import zlib
from functools import lru_cache

STORED_BYTES_MAX = 200
"""What is no longer than this is stored as it is: to begin compressing costs more than it saves."""

_LEVEL = 1
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""Deflate, no name, no time, fastest level, no particular system."""
_LAST_BLOCK = b"\x03\x00"
_NOT_FINAL = 0


class Piece:
    """A piece of a body, as it is and, once somebody wants that, packed."""

    __slots__ = ("_packed", "plain")

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._packed: bytes | None = None

    @property
    def packed(self) -> bytes:
        """Deflate blocks; never the last one of a stream."""
        if self._packed is None:
            self._packed = _stored(self.plain) if len(self.plain) <= STORED_BYTES_MAX else _deflated(self.plain)
        return self._packed


class PlainBody:
    """A body that is sent as it is."""

    coding: str | None = None

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def add(self, piece: Piece) -> None:
        """Let this be next."""
        self._parts.append(piece.plain)

    def whole(self) -> bytes:
        """The body."""
        return b"".join(self._parts)


class GzipBody:
    """A body that is sent with `Content-Encoding: gzip`."""

    coding: str | None = "gzip"

    def __init__(self) -> None:
        self._parts = [_HEAD]
        self._crc = 0
        self._size = 0

    def add(self, piece: Piece) -> None:
        """Let this be next."""
        self._parts.append(piece.packed)
        self._crc = zlib.crc32(piece.plain, self._crc)
        self._size += len(piece.plain)

    def whole(self) -> bytes:
        """The body."""
        return b"".join((*self._parts, _LAST_BLOCK, struct.pack("<II", self._crc, self._size & 0xFFFFFFFF)))


@lru_cache(maxsize=64)
def packed_body(plain: bytes) -> bytes:
    """A body that is packed as a whole; the last ones are kept, since many ask for the same."""
    return zlib.compress(plain, _LEVEL, wbits=16 + zlib.MAX_WBITS)


def _stored(plain: bytes) -> bytes:
    size = len(plain)
    return struct.pack("<BHH", _NOT_FINAL, size, size ^ 0xFFFF) + plain


def _deflated(plain: bytes) -> bytes:
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)
