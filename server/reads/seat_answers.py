"""The answers about an event's seats: written for all who ask at about the same time, kept while they are true."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from msgspec import Struct

from server.reads.gzip_pieces import GzipBody, Piece, PlainBody
from server.reads.revalidation import tag_of
from server.reads.seat_texts import SectionTexts, sections_pieces
from server.reads.shared_work import SharedWork, Slices, Turns

States: TypeAlias = bytes | bytearray
Read: TypeAlias = Callable[[], Awaitable[States]]
"""Reads the committed states of the whole event, as they are at the moment of its return. It may wait."""
Look: TypeAlias = Callable[[], States | None]
"""The same without waiting; None when they cannot be read at once."""
Pieces: TypeAlias = Callable[[Sequence[SectionTexts], bytes], Iterator[Piece]]
Body: TypeAlias = type[PlainBody] | type[GzipBody]

ANSWER_S = 10.0
"""How long somebody waits for an answer, for the states and for the turn to write it."""


class SeatAnswers:
    """All answers about the seats of one event that somebody has asked for."""

    def __init__(self, sections: Mapping[str, SectionTexts], seat_count: int, turns: Turns) -> None:
        self.sections = sections
        self._turns = turns
        self._known: dict[tuple[str | None, Pieces, Body], SharedAnswer] = {}
        # Stands for the names of the seats, and for how an answer is written.
        empty_hall = sections_pieces(list(sections.values()), bytes(seat_count))
        self._digest = tag_of(*(piece.plain for piece in empty_hall)).encode()

    def about(self, name: str | None, pieces: Pieces, body: Body) -> "SharedAnswer":
        """The answer about one section, or all when `name` is None."""
        key = (name, pieces, body)
        if key not in self._known:
            sections = list(self.sections.values()) if name is None else [self.sections[name]]
            told = bytes if name is None else self.sections[name].states
            self._known[key] = SharedAnswer(told, partial(pieces, sections), body, self._digest, self._turns)
        return self._known[key]


class Written(Struct, frozen=True):
    """An answer, and the states that it tells."""

    states: bytes
    tag: str
    body: bytes


class SharedAnswer:
    """One answer: the last one written, and the way to a newer one.

    `told` picks, from all the event's states, those that the answer tells; `pieces` writes them.
    """

    def __init__(
        self,
        told: Callable[[States], bytes],
        pieces: Callable[[bytes], Iterator[Piece]],
        body: Body,
        digest: bytes,
        turns: Turns,
    ) -> None:
        self.coding = body.coding
        self._told = told
        self._pieces = pieces
        self._body = body
        self._digest = digest
        self._last: Written | None = None
        self._work: SharedWork[Written | None] = SharedWork(turns)

    def tag(self, states: States) -> str:
        """The tag of the answer that tells these states: it changes when they do, and only then."""
        told = self._told(states)
        last = self._true(told)
        return tag_of(self._digest, told) if last is None else last.tag

    async def get(self, read: Read, look: Look) -> Written:
        """An answer that was true at a moment after this call.

        Whoever has to wait for the states does so here, outside of the turns that all events share.

        Raises:
            TimeoutError: there was none within `ANSWER_S`.
            Exception: what `read` raises.
        """
        async with asyncio.timeout(ANSWER_S):
            while True:
                last = self._true(self._told(await read()))
                last = last or await self._work.outcome(lambda slices: self._write(look, slices))
                if last is not None:
                    return last

    async def _write(self, look: Look, slices: Slices) -> Written | None:
        """The answer; None when the states can no longer be read at once."""
        found = look()
        if found is None:
            return None
        states = bytes(found)
        told = self._told(states)
        last = self._true(told)
        if last is None:
            body = self._body()
            for piece in self._pieces(states):
                body.add(piece)
                await slices.breathe()
            last = self._last = Written(told, tag_of(self._digest, told), body.whole())
        return last

    def _true(self, told: bytes) -> Written | None:
        """The last one written, if it tells these states."""
        return self._last if self._last is not None and self._last.states == told else None
