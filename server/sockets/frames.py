"""WebSocket frames as the server writes them: whole, unmasked, never compressed.

A patch goes to every watcher in the same bytes, so it is framed once, here, and written to each transport.
Source: RFC 6455, section 5.2.
"""

from protocol.codes import CloseCode

_FINAL_TEXT = 0x81
_FINAL_CLOSE = 0x88


def text_frame(text: bytes) -> bytes:
    """One final text frame around UTF-8 bytes."""
    size = len(text)
    if size < 126:
        return bytes((_FINAL_TEXT, size)) + text
    if size < 1 << 16:
        return bytes((_FINAL_TEXT, 126)) + size.to_bytes(2, "big") + text
    return bytes((_FINAL_TEXT, 127)) + size.to_bytes(8, "big") + text


def close_frame(code: CloseCode) -> bytes:
    """The frame that begins the closing handshake."""
    return bytes((_FINAL_CLOSE, 2)) + code.to_bytes(2, "big")
