"""The opening handshake of a bot's socket."""

from picows import WSError, WSHandshakeError, WSListener, ws_connect

from bots.rest import BotError, ServerAway
from protocol.limits import SUBPROTOCOL

HANDSHAKE_S = 30.0
FRAME_BYTES_MAX = 16 * 1024 * 1024


async def shake_hands(listener: WSListener, url: str) -> None:
    """Connect to `ws://…` or `wss://…`; from then on the listener is called.

    Raises:
        BotError: the server refuses.
        ServerAway: it does not answer, or not now.
    """
    try:
        _, connected = await ws_connect(
            lambda: listener,
            url,
            extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
            max_frame_size=FRAME_BYTES_MAX,
            websocket_handshake_timeout=HANDSHAKE_S,
        )
    except WSHandshakeError as problem:
        status = None if problem.response is None else int(problem.response.status)
        kind = BotError if status is not None and status < 500 else ServerAway
        raise kind(f"the handshake was answered with {status}") from problem
    except (WSError, OSError, TimeoutError) as problem:
        raise ServerAway(f"no socket: {type(problem).__name__} {problem}") from problem
    if connected is not listener:  # so `ws_connect` returns when the connection is lost amid the handshake
        raise ServerAway("the socket was lost during the handshake")
