"""Where one customer stands in line, by what the server has told, and the turns that came of it."""

from bots.turns import Turn
from protocol.limits import ADMISSION_DURATION_S, CALL_DURATION_S
from protocol.outbound import LineNow, QueueNow

UNTOLD_S = 2.0
"""A turn that came so long ago must have been told, without anybody asking."""
NOBODY = QueueNow("not_in_queue")


class Standing:
    """What one customer was told of the line. `take` is called with all that is told, in that order.

    Times are Unix milliseconds, by the server's clock as far as it is known.
    """

    def __init__(self, customer: str) -> None:
        self.now = NOBODY
        """What was told last."""
        self._customer = customer
        self._over: list[Turn] = []
        self._turn = Turn(customer)
        self._since_ms = self._inside_until_ms = 0.0
        self._promised_s: tuple[int | None, int | None] = (None, None)
        self._away_ms: float | None = None
        self._has_given_up = False
        self._admitted_upto = 0

    @property
    def is_inside(self) -> bool:
        """May this customer shop?"""
        return self.now.status == "active"

    @property
    def is_in_line(self) -> bool:
        """Is this customer waiting, in the lobby or behind it?"""
        return self.now.status in ("lobby", "waiting")

    @property
    def turns(self) -> list[Turn]:
        """Those that are over, and the one that is not."""
        return self._over if self.now.status == "not_in_queue" else [*self._over, self._turn]

    def take(self, told: QueueNow, now_ms: float) -> str | None:
        """The server has told this; answers what is wrong with it, if anything."""
        before, self.now = self.now, told
        if before.status == "active":
            self._inside_until_ms = now_ms
        elif before.status == "not_in_queue":
            self._turn, self._since_ms = Turn(self._customer), now_ms
            self._promised_s, self._has_given_up = (None, None), False
        was_away = self._away_ms is not None and now_ms - self._away_ms > 1000 * CALL_DURATION_S / 2
        wrong = None if was_away else self._wrong(before, now_ms)
        self._away_ms = None
        if told.status == "waiting" and before.status != "waiting":
            self._since_ms, self._promised_s = now_ms, (told.eta_s, told.eta_high_s)
        if told.place is not None:
            self._turn.place = told.place
        if self.is_inside:
            self._enter(told.admitted_until_ms or 0, now_ms)
        elif told.status == "not_in_queue" and before.status != "not_in_queue":
            self._over.append(self._turn)
        return wrong

    def take_line(self, line: LineNow) -> str | None:
        """The server has told this of the whole line; answers what is wrong with it."""
        before, self._admitted_upto = self._admitted_upto, line.admitted_upto
        if line.admitted_upto < before:
            return f"turns had come up to place {before}, and now up to {line.admitted_upto}"
        return None

    def asked(self, told_before: QueueNow, asked_ms: float) -> str | None:
        """The server was asked at that time, when it had told `told_before`, and has told; what is wrong."""
        turn = self._turn
        if self.now.status == "waiting":
            turn.still_waiting_ms = int(asked_ms)
        if told_before.status == "waiting" and self.is_inside and turn.was_there and turn.entered_ms:
            untold_s = (asked_ms - turn.entered_ms) / 1000
            if untold_s > UNTOLD_S:
                return f"{self._customer} was let in {untold_s:.1f} s ago, and was not told"
        return None

    def was_inside(self, since_ms: float) -> bool:
        """Was this customer inside, then or later?"""
        return self.is_inside or self._inside_until_ms >= since_ms

    def shops(self, now_ms: float) -> None:
        """The customer asks for something: until now, who was told to be inside is."""
        turn = self._turn
        if self.is_inside and turn.inside_ms is not None:
            turn.inside_ms = turn.inside_ms[0], int(now_ms)

    def goes_away(self, now_ms: float) -> None:
        """No socket is open for a while."""
        self._turn.was_there = self._turn.was_there and self.is_inside
        self._away_ms = now_ms

    def gives_up(self) -> None:
        """The customer leaves the line, or buys: the turn may be over."""
        self._has_given_up = True

    def keeps(self) -> None:
        """Nothing has come of that."""
        self._has_given_up = False

    def _enter(self, until_ms: int, now_ms: float) -> None:
        turn = self._turn
        if turn.inside_ms is not None:
            self.shops(now_ms)
            return
        turn.inside_ms = int(now_ms), int(now_ms)
        turn.waited_s = (now_ms - self._since_ms) / 1000
        if until_ms - now_ms > 1000 * (CALL_DURATION_S + UNTOLD_S):
            turn.entered_ms = until_ms - 1000 * ADMISSION_DURATION_S
        else:
            turn.was_there = False  # called, while away
        low_s, high_s = self._promised_s
        if low_s is not None and high_s is not None and turn.was_there:
            turn.is_range_right = low_s <= turn.waited_s <= high_s + 1  # it was told in whole seconds

    def _wrong(self, before: QueueNow, now_ms: float) -> str | None:
        """Does what was told follow from what was told before?"""
        told, who = self.now, self._customer
        if before.status == "waiting" and told.status == "waiting":
            if before.place != told.place:
                return f"the place of {who} was {before.place}, and is {told.place}"
            if told.ahead > before.ahead:
                return f"before {who} waited {before.ahead}, and now {told.ahead}"
        if before.status == "waiting" and told.status == "lobby":
            return f"{who} had place {before.place} already, and is in the lobby"
        if self._has_given_up or before.status == "not_in_queue":
            return None
        if before.status == "active" and told.status in ("lobby", "waiting"):
            return f"{who} was inside, and is to wait again"
        has_run_out = before.status == "active" and now_ms > (before.admitted_until_ms or 0) - 1000 * UNTOLD_S
        if told.status == "not_in_queue" and not has_run_out:
            what = "turn" if before.status == "active" else f"place {before.place} in line"
            return f"{who} has lost the {what}, and did not give it up"
        return None
