"""What a process of bots is told, and what it tells: JSON lines on its standard input and output."""

from typing import Literal

from msgspec import Struct, field

from bots.rest import Customer
from bots.sale import Terms
from bots.tally import Tally
from bots.turns import Turn

GO = b"go\n"
"""The line that begins the sale. The end of the input ends everything."""
LINE_BYTES_MAX = 1 << 26


class Job(Struct, frozen=True):
    """The first line.

    behaviours: what each bot does; there may be more `customers` than bots: they are served one after the other
    first, step: the numbers of its customers begin with this and grow by so many
    duration_s: None: the behaviours end by themselves
    answers: path of the answer file, if one is to be written
    """

    url: str
    terms: Terms
    behaviours: list[str]
    customers: list[Customer]
    first: int
    step: int
    seed: int
    duration_s: float | None
    answers: str | None


class Belongings(Struct, frozen=True):
    """What one customer has at the end, by the answers. `held_until_ms` is by the server's clock.

    turns: what came of standing in line, each time
    """

    customer: str
    bought: list[int]
    held: list[int]
    held_until_ms: int
    turns: list[Turn] = field(default_factory=list)


class Report(Struct, frozen=True):
    """How far the bots of a process are; with `done`, what they have."""

    stage: Literal["coming", "there", "done"]
    tally: Tally
    belongings: list[Belongings] = field(default_factory=list)
