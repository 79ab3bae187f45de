"""Reading what a server says, as a client that may be older than the server."""

from typing import get_args

import msgspec

from protocol.outbound import Outbound, decode


class _Head(msgspec.Struct):
    type: str


_head_decoder = msgspec.json.Decoder(_Head)
_KNOWN = {kind.__struct_config__.tag for kind in get_args(Outbound)}


def decoded(frame: bytes) -> object:
    """The message in a frame; None: of a type that this client does not know, which it ignores.

    Raises:
        msgspec.DecodeError: the protocol does not allow this frame.
    """
    try:
        return decode(frame)
    except msgspec.ValidationError:
        if _head_decoder.decode(frame).type in _KNOWN:
            raise
        return None
