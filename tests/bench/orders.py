"""What the load generator is told: who is to be there (a job, once), then what to do (orders, one at a time)."""

from msgspec import Struct


class Bots(Struct, tag=True):
    """Customers on sockets that watch: customer k is on event k mod n. `seat_count` is that of each event."""

    url: str
    event_ids: list[str]
    seat_count: int
    sessions: list[str]


class Watchers(Struct, tag=True):
    """Sockets that watch and send nothing. `is_bare`: connections without a handshake, to something else.

    `reads` False: they never read. `opens`: how often each asks for the map. `waits_for`: the type of message that
    is noted.
    """

    host: str
    port: int
    path: str
    count: int
    is_bare: bool = False
    reads: bool = True
    opens: int = 1
    waits_for: str = "patch"


class RestBots(Struct, tag=True):
    """Customers who reserve a seat and release it, over REST, each on a connection that stays."""

    url: str
    event_id: str
    seat_count: int
    sessions: list[str]


class Readers(Struct, tag=True):
    """Connections on which `path` is asked for. `revalidates`: with the tag of the last answer."""

    url: str
    path: str
    count: int
    headers: str = ""
    revalidates: bool = False


Job = Bots | Watchers | RestBots | Readers


class Loop(Struct, tag=True):
    """Everybody sends the next command when the last one is answered: hold, release. `buys`: hold, pay.

    `asks_for_best`: the server finds the seats. `queues`: join the waiting room, leave it.
    """

    seconds: float
    warm_up_s: float = 0.0
    buys: bool = False
    asks_for_best: bool = False
    queues: bool = False


class Pace(Struct, tag=True):
    """So many commands a second by all together, answered or not.

    `burst`: so many frames in one write. A command by itself waits from the time when it was due, those of a burst
    from their writing: there it is asked how soon the server answers, not whether the bots keep up.
    """

    seconds: float
    per_s: float
    warm_up_s: float = 0.0
    burst: int = 1


class Race(Struct, tag=True):
    """All at once ask for one of `seats` seats from `first` on."""

    first: int
    seats: int


class Settle(Struct, tag=True):
    """Wait until all that was sent is answered."""


class Await(Struct, tag=True):
    """Report the next patch: when the first and the last watcher had it."""

    within_s: float


class Forget(Struct, tag=True):
    """Whatever watchers had so far does not count."""


class Leave(Struct, tag=True):
    """Read at last what was left unread, then be gone: how many had something, how many were cut off meanwhile."""


Order = Loop | Pace | Race | Settle | Await | Forget | Leave


class Done(Struct, tag=True):
    """What came of an order. Names carry their units."""

    figures: dict[str, float]


class Failed(Struct, tag=True):
    """The generator cannot go on."""

    reason: str


Report = Done | Failed
