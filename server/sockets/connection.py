"""One socket: the handshake, then commands in, answers out.

Nothing is decided here: a command is read, its sender is known, and it goes to the seat manager's inbox.
"""

import asyncio
import logging
import math

from aiohttp import WSMsgType, hdrs, web
from msgspec import UNSET
from msgspec.structs import astuple, replace

from actors.core.holding import shown
from actors.core.verdict import Asked
from actors.core.waiting_room import has_room, shown_place
from actors.line_news import line_now
from actors.supervisor import NotOwned
from actors.told import Reply, Told
from protocol import limits
from protocol.codes import CloseCode, Code
from protocol.inbound import BadCommand, Command, JoinQueue, NotUnderstood, Open, Ping, read_command
from protocol.outbound import HoldNow, HoldReason, LineNow, Pong, QueueNow, Rejected, User, Welcome, rejected
from server.door.correlation import current_id
from server.door.origin import is_foreign
from server.door.paced import keep_pace_of_handshakes
from server.door.who_asks import find_session, session_id
from server.people.session_cache import Session
from server.rest.envelope import Refused
from server.sales import Sale
from server.services import Services, services
from server.sockets.command_pace import CommandPace
from server.sockets.customers import wait_of
from server.sockets.frames import close_frame
from server.sockets.intake import BACKLOG_COMMANDS, Reader
from server.sockets.outbox import Outbox

log = logging.getLogger(__name__)

VIA = "socket"
UNANSWERED_COMMANDS_MAX = 64
OPEN_WAIT_S = 5.0
CLOSE_S = 2.0
FRAMES_PER_TURN = 16

_ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)

routes = web.RouteTableDef()


@routes.get("/ws/events/{event_id}")
async def watch_event(request: web.Request) -> web.StreamResponse:
    """The socket of one event."""
    if is_foreign(request):
        raise Refused(403, "This socket was opened by another site", "bad_origin")
    await keep_pace_of_handshakes(request)
    if limits.SUBPROTOCOL not in _offered(request):
        raise Refused(400, f"Offer the subprotocol {limits.SUBPROTOCOL}", "bad_subprotocol")
    parts = services(request)
    ticket = request.query.get("ticket")
    session = await (find_session(request) if ticket is None else parts.sessions.take_ticket(ticket))
    is_dead = session is None and (ticket is not None or session_id(request) is not None)
    event = None if is_dead else await parts.sales.find(request.match_info["event_id"])
    ws = web.WebSocketResponse(
        protocols=(limits.SUBPROTOCOL,),
        compress=False,
        max_msg_size=limits.MESSAGE_BYTES_MAX + 1,  # aiohttp refuses a message of exactly that size
        decode_text=False,
        autoclose=False,
        timeout=CLOSE_S,
    )
    try:
        await ws.prepare(request)
    except ValueError:  # aiohttp stumbles over a head that is not ASCII: a key, or what it quotes in its refusal
        raise Refused(400, "This is no WebSocket handshake", "bad_request") from None
    ws.headers.clear()  # they have been sent; a kilobyte for as long as somebody watches
    if parts.is_stopping:
        await ws.close(code=CloseCode.RESTARTING)
    elif is_dead:
        await ws.close(code=CloseCode.SESSION_ENDED)
    elif event is None:
        await ws.close(code=CloseCode.NO_SUCH_EVENT)
    elif request.transport is not None:
        connection = Connection(parts, ws, request.protocol, request.transport, event, session)
        await connection.run()
    return ws


class Connection:
    """A socket that is open."""

    __slots__ = (
        "_correlation_id",
        "_customer",
        "_cut",
        "_event",
        "_pace",
        "_parts",
        "_protocol",
        "_replies",
        "_session",
        "_transport",
        "_unanswered",
        "_ws",
        "outbox",
    )

    def __init__(
        self,
        parts: Services,
        ws: web.WebSocketResponse,
        protocol: web.RequestHandler,
        transport: asyncio.Transport,
        event: Sale,
        session: Session | None,
    ) -> None:
        self._parts = parts
        self._ws = ws
        self._protocol = protocol
        self._transport = transport
        self._event = event
        self._session = session
        self._customer = None if session is None else str(session.customer_id)
        self._correlation_id = current_id()
        self._replies: dict[type[Command], Reply] = {}
        self._pace = parts.command_paces.of_socket(self._customer)
        self._unanswered = 0
        self._cut: asyncio.TimerHandle | None = None
        session_hash = None if session is None else session.id_hash
        self.outbox = Outbox(transport, self._customer, session_hash, self._close)

    async def run(self) -> None:
        """Serve the socket until either side closes it."""
        self._parts.sockets.add(self.outbox)
        self._parts.hub.join(self._event.event_id, self.outbox)
        try:
            self.outbox.send(self._welcome())
            # A task of its own: each frame would wake it through all the middlewares around the handshake.
            await asyncio.create_task(self._converse(), name="socket")
        except ConnectionError as problem:
            log.debug("a connection broke: %s", problem)
        finally:
            # Both know this connection, and it knows them: all would stay until garbage is looked for.
            self.outbox.forget()
            self._replies.clear()
            self._parts.sockets.remove(self.outbox)
            self._parts.hub.leave(self._event.event_id, self.outbox)
            if self._cut is not None:
                self._cut.cancel()
            if self._transport.get_write_buffer_size():
                # Closing waits for what is unread to leave; whoever does not read is cut off all the same.
                asyncio.get_running_loop().call_later(CLOSE_S, self._transport.abort)

    async def _converse(self) -> None:
        """Take what comes. After our own close frame it is read and dropped, until the client's has come."""
        taken, reader = 0, Reader(self._parts.intake, self._protocol)
        while True:
            frame = await self._ws.receive()
            if frame.type in _ENDS:
                break
            if self.outbox.is_closing:
                continue
            if frame.type is not WSMsgType.TEXT:
                self.outbox.close(CloseCode.NOT_UNDERSTOOD)
                continue
            try:
                request = self._take(frame.data)
                if isinstance(request, JoinQueue):
                    await self._join(request)
                elif request is not None:
                    await self._answer(request)
            except Exception:
                log.exception("a socket of event %s failed", self._event.event_id)
                self.outbox.close(CloseCode.RESTARTING)
            backlog = self._parts.supervisor.backlog(self._event.event_id)
            if backlog >= BACKLOG_COMMANDS and not reader.goes_on():
                await reader.turn()
            taken += 1
            if taken % FRAMES_PER_TURN == 0:
                await asyncio.sleep(0)  # `receive` does not, while frames are there: others want a turn, too
        if self.outbox.is_closing:
            self._transport.close()
        else:
            await self._ws.close(drain=False)

    def _take(self, frame: bytes) -> Open | Ping | JoinQueue | None:
        """Pass a command on; what may have to wait is given back."""
        try:
            command = read_command(frame)
        except NotUnderstood as problem:
            log.debug("not understood: %s", problem)
            self.outbox.close(CloseCode.NOT_UNDERSTOOD)
            return None
        if isinstance(command, Open | Ping):
            return command
        if self._pace is not None and (wait_s := self._pace.wait_s(self._parts.command_paces.monotonic())):
            self._slow_down(self._pace, command, wait_s)
        elif self._customer is None:
            self._refuse(command, rejected(command.id, Code.NOT_SIGNED_IN))
        elif isinstance(command, BadCommand):
            self._refuse(command, rejected(command.id, Code.BAD_COMMAND, message=command.message))
        elif isinstance(command, JoinQueue):
            return command
        else:
            self._tell(self._customer, command)
        return None

    async def _join(self, command: JoinQueue) -> None:
        """Pass on who may join, without the proof: it is no matter of the line's."""
        assert self._session is not None, "nobody joins who is not signed in"
        proof = None if command.proof is UNSET else command.proof
        code = await self._parts.lobby_gate.refusal(self._event.event_id, self._session, proof)
        if code is None:
            self._tell(str(self._session.customer_id), replace(command, proof=UNSET))
        else:
            self._refuse(command, rejected(command.id, code))

    def _slow_down(self, pace: CommandPace, command: Command | BadCommand, wait_s: float) -> None:
        self._refuse(command, rejected(command.id, Code.RATE_LIMITED, retry_after_ms=math.ceil(wait_s * 1000)))
        if pace.is_flood(self._parts.command_paces.monotonic()):
            self.outbox.close(CloseCode.TOO_MUCH)

    async def _answer(self, request: Open | Ping) -> None:
        """What has no id to be refused by waits until it is not too early."""
        if self._pace is not None:
            clock = self._parts.command_paces.monotonic
            while wait_s := self._pace.wait_s(clock()):  # noqa: ASYNC110 (tokens come with the time alone)
                await asyncio.sleep(wait_s)
        if isinstance(request, Ping):
            self.outbox.send(Pong(request.at, self._parts.now_ms()))
        else:
            await self._open(request)
            await asyncio.sleep(0)  # it may have folded much

    def _tell(self, customer: str, command: Command) -> None:
        if self._unanswered >= UNANSWERED_COMMANDS_MAX:
            self._refuse(command, rejected(command.id, Code.OVERLOADED, retry_after_ms=1_000))
        else:
            self._unanswered += 1
            reply = self._replies.get(type(command)) or self._reply_to(type(command))
            told = Told(Asked(customer, command), reply, self.outbox, self._correlation_id)
            self._parts.supervisor.tell(self._event.event_id, told)

    def _refuse(self, command: Command | BadCommand, refusal: Rejected) -> None:
        self._parts.metrics.outcomes(VIA, type(command)).add(refusal)
        self.outbox.send(refusal)

    def _reply_to(self, kind: type[Command]) -> Reply:
        """The way back of the answers to commands of this type; made once."""
        outcomes = self._parts.metrics.outcomes(VIA, kind)

        def reply(answer: bytes, refusal: Rejected | None) -> None:
            self._unanswered -= 1
            outcomes.add(refusal)
            if refusal is not None and refusal.code is Code.OVERLOADED:
                self.outbox.send_soon(answer)
            else:
                self.outbox.send_text(answer)

        self._replies[kind] = reply
        return reply

    async def _open(self, command: Open) -> None:
        position = None
        if command.epoch is not UNSET and command.revision is not UNSET:
            position = (command.epoch, command.revision)
        try:
            seating = await self._parts.supervisor.seating_within(self._event.event_id, OPEN_WAIT_S)
        except NotOwned:
            self.outbox.close(CloseCode.RESTARTING)
            return
        self._parts.hub.watch(self._event.event_id, seating, self.outbox, position)
        if has_room(seating.terms):
            self.outbox.send(self._parts.hub.said(self._event.event_id, LineNow) or line_now(seating))
        if self._customer is not None:
            hold = shown(seating, seating.hold(self._customer))
            self.outbox.send(HoldNow(hold.seats, hold.expires_at_ms, hold.total_cents, HoldReason.OPEN))
            place = QueueNow(*astuple(shown_place(seating, self._customer)))
            self.outbox.told_wait = wait_of(place)
            self.outbox.send(place)

    def _welcome(self) -> Welcome:
        session = self._session
        user = None if session is None else User(str(session.customer_id), session.name, session.role)
        return Welcome(
            limits.PROTOCOL_VERSION,
            self._parts.node.name,
            self._event.event_id,
            self._event.seat_count,
            self._event.map_url,
            self._parts.now_ms(),
            user,
        )

    def _close(self, code: CloseCode) -> None:
        # Not by `ws.close`: it ends the connection at once, and a reset because of what is unread could overtake
        # the frame. A client that does not read cannot take part in the closing handshake: it is cut off.
        if not self._transport.is_closing():
            self._transport.write(close_frame(code))
        self._cut = asyncio.get_running_loop().call_later(CLOSE_S, self._transport.abort)


def _offered(request: web.Request) -> set[str]:
    offered = request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    return {name.strip() for header in offered for name in header.split(",")}
