"""What bots do: each behaviour does what it is for, and sees what a server does wrong."""

import random
from pathlib import Path

import aiohttp
import msgspec
import pytest

from actors.ports import News
from bots.behaviours import BEHAVIOURS, ENDLESS, MIXES, QUEUING, assigned, nasty
from bots.bot import Bot
from bots.own_data import put_on_sale, sign_in
from bots.rehearsal import given_twice, hidden
from bots.rest import Customer, Rest, ServerAway
from bots.sale import Sale, Terms
from bots.tally import Tally
from bots.work import Belongings
from protocol.codes import CloseCode, Code
from protocol.inbound import Checkout, Command, ExtendHold, HoldBest, HoldSeats, ReleaseSeats
from protocol.limits import SEATS_PER_COMMAND_MAX
from protocol.outbound import NOTHING_HELD, Accepted, Answer, Hold, OrderStatus, OrderSummary, encode, rejected
from server.engines import PostgresAddress
from server.sockets.broadcast import Channel
from server.sockets.outbox import Outbox
from tests.chaos.hall import LIMIT, PER_S, Hall, hall, is_sound
from tests.server.parts import SEAT_COUNT, Usher, own

__all__ = ["hall", "own"]


async def test_browsers_watch_and_ask_for_nothing(hall: Hall) -> None:
    hall.hurry(LOOK_S=0.1)
    tally = await hall.after("browsers", lambda seen: seen.maps_compared > 6)
    assert is_sound(tally)
    assert tally.commands == 0


async def test_buyers_buy_and_give_back(hall: Hall) -> None:
    hall.hurry(THINK_S=0.01)
    tally = await hall.after(
        "buyers", lambda seen: min(seen.orders, seen.orders_cancelled, seen.refusals.get("payment_failed", 0)) > 0
    )
    assert is_sound(tally)
    assert tally.maps_compared == 6


async def test_hoarders_hold_all_they_may_for_longer(hall: Hall) -> None:
    hall.hurry(FIRST_S=0.05, SIT_S=0.05)
    tally = await hall.after("hoarders", lambda seen: seen.accepted > 30)
    assert is_sound(tally)
    assert tally.orders == 0


async def test_hoarders_ask_for_no_more_than_a_command_may(hall: Hall) -> None:
    hall.hurry(FIRST_S=0.05, SIT_S=0.05)
    hall.monkeypatch.setattr("tests.chaos.hall.LIMIT", SEATS_PER_COMMAND_MAX + 2)
    assert is_sound(await hall.after("hoarders", lambda seen: seen.accepted > 10, bots=1))


async def test_quitters_find_their_hold_again(hall: Hall) -> None:
    hall.hurry(STAY_S=0.1, AWAY_S=0.1)
    tally = await hall.after("quitters", lambda seen: seen.resumes > 6)
    assert is_sound(tally)
    assert tally.maps_compared == 6


async def test_reconnectors_resume_and_hear_what_they_missed(hall: Hall) -> None:
    hall.hurry(TRAIN_S=0.05)
    tally = await hall.after("reconnectors", lambda seen: seen.sent_again > 6 and seen.maps_compared > 12)
    assert is_sound(tally)
    assert tally.resumed_by_patches > 6


async def test_the_nasty_are_shown_out(hall: Hall) -> None:
    hall.hurry(PAUSE_S=0.001, FLOOD_COMMANDS=100)
    hall.monkeypatch.setattr(nasty, "DEEDS", (nasty._garbage, nasty._garbage, nasty._rubbish, nasty._flood))

    def all_was_tried(seen: Tally) -> bool:
        tried = {fate.partition(":")[0] for fate in seen.fates}
        return tried == nasty.GARBAGE.keys() | {"random bytes", "flood"}

    assert is_sound(await hall.after("nasty", all_was_tried))


async def test_those_who_never_read_are_cut_off(own: Usher, database_address: PostgresAddress) -> None:
    bot = await a_bot(own.url, await put_on_sale(database_address, 8_000), 8_000)
    assert await nasty._never_reads(bot) == "never reading: cut off"


async def test_half_a_handshake_is_ended(own: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.door.connections.HEAD_S", 0.2)
    assert await nasty._half_a_handshake(await a_bot(own.url, await own.event())) == "half a handshake: ended"


async def test_holders_hold_as_fast_as_they_can(hall: Hall) -> None:
    tally = await hall.after("holders", lambda seen: seen.accepted > 50)
    assert is_sound(tally)
    assert tally.orders == 0


async def test_a_pace_is_kept(hall: Hall) -> None:
    tally = await hall.after("paced", lambda seen: seen.commands > 50)
    assert is_sound(tally)
    seconds = tally.last_answered_at_s - tally.first_asked_at_s
    assert tally.commands <= PER_S * seconds + 2 * 6, "one more of each bot at either end"


async def test_shoppers_get_into_each_other_s_way(hall: Hall) -> None:
    tally = await hall.after(
        "shop", lambda seen: min(seen.orders, seen.orders_cancelled, seen.refusals.get("seat_taken", 0)) > 0
    )
    assert is_sound(tally)


async def test_a_race_for_hot_seats_has_a_winner_for_each(hall: Hall) -> None:
    tally = await hall.after("hot-seats", bots=12)
    assert is_sound(tally)
    assert (tally.accepted, tally.refusals) == (4, {"seat_taken": 8})


def test_every_behaviour_is_looked_at_here() -> None:
    looked_at = "browsers buyers hoarders quitters reconnectors nasty holders paced shop hot-seats"
    elsewhere = {"sell-out"} | QUEUING
    assert set(BEHAVIOURS) - set(looked_at.split()) == elsewhere, "see test_sell_every_seat and test_queuers"


@pytest.mark.parametrize("mix", MIXES)
def test_a_mix_is_mixed_everywhere(mix: str) -> None:
    shares = MIXES[mix]
    assert shares.keys() <= ENDLESS
    assert sum(shares.values()) == 100
    names = assigned(shares, 1_000)
    assert {name: names.count(name) for name in shares} == {name: 10 * share for name, share in shares.items()}
    assert all(abs(names[100:200].count(name) - share) <= 1 for name, share in shares.items())


async def a_bot(url: str, event_id: str, seat_count: int = SEAT_COUNT) -> Bot:
    """A bot that nobody runs, with a sale of its own."""
    http = aiohttp.ClientSession()
    await http.close()
    sale = Sale(Terms(event_id, LIMIT, seat_count, [0], 4, 1.0), Rest(http, url), None, 1)
    sale.begun.set()
    return Bot(sale, 0, Customer("ada", "s"), random.Random(1))


async def test_a_map_that_misses_a_patch_is_a_divergence(hall: Hall) -> None:
    """Negative control: the hub tells watchers of another seat than the one that was held."""
    real = Channel.publish

    def forge(channel: Channel, news: News) -> None:
        real(channel, msgspec.structs.replace(news, seats={seat ^ 1: state for seat, state in news.seats.items()}))

    hall.monkeypatch.setattr(Channel, "publish", forge)
    hall.hurry(TRAIN_S=0.05)
    tally = await hall.after("reconnectors", lambda seen: seen.divergences > 0)
    assert "not as in the snapshot" in tally.texts[0] or "in two ways" in tally.texts[0]


async def test_a_hold_that_the_server_forgets_is_a_broken_promise(hall: Hall) -> None:
    """Negative control: whoever opens is shown an empty hold."""
    hall.hurry(STAY_S=0.1, AWAY_S=0.1)
    hall.monkeypatch.setattr("server.sockets.connection.shown", lambda *_: NOTHING_HELD)
    tally = await hall.after("quitters", lambda seen: seen.broken > 0)
    assert any("early: an empty hold" in text for text in tally.texts)


async def test_garbage_that_is_closed_in_another_way_is_a_broken_promise(hall: Hall) -> None:
    """Negative control."""
    real = Outbox.close
    hall.monkeypatch.setattr(Outbox, "close", lambda outbox, _code: real(outbox, CloseCode.TOO_SLOW))
    hall.hurry(PAUSE_S=0.01)
    tally = await hall.after("nasty", lambda seen: seen.broken > 0)
    assert "was closed with 4408, not with" in tally.texts[0]


async def test_garbage_that_is_let_pass_is_a_broken_promise(hall: Hall) -> None:
    """Negative control."""
    hall.monkeypatch.setattr(Outbox, "close", lambda _outbox, _code: None)
    hall.hurry(PAUSE_S=0.01, END_S=0.5)
    tally = await hall.after("nasty", lambda seen: seen.broken > 0)
    assert "the server had not ended it" in tally.texts[0]


HOLD = Hold((1,), 1, 1)
FORGED: dict[str, tuple[Command, Answer]] = {
    "another seat": (HoldSeats("1", (2,)), Accepted("1", 1, hold=HOLD)),
    "no order": (Checkout("1", "card"), Accepted("1", 1, hold=HOLD)),
    "more than is allowed": (HoldSeats("1", (1, 2, 3, 4, 5)), Accepted("1", 1, hold=Hold((1, 2, 3, 4, 5), 1, 1))),
}


@pytest.mark.parametrize(("command", "answer"), FORGED.values(), ids=FORGED)
async def test_an_answer_that_cannot_be_is_a_broken_promise(command: Command, answer: Answer) -> None:
    bot = await a_bot("http://nobody.example", "e")
    bot.answer("ada", command, answer, 0.001, encode(answer))
    assert (bot.sale.tally.broken, bot.sale.tally.commands) == (1, 1)


KEPT = Accepted("0", 1, hold=Hold((1, 2), 10**15, 1))
"""Held before, for long."""


def paid(*seats: int, status: OrderStatus = OrderStatus.COMPLETED) -> Accepted:
    """The answer to a checkout."""
    return Accepted("1", 2, order=OrderSummary("o", status, 1, "USD", seats))


def holding(*seats: int, until_ms: int = 10**15) -> Accepted:
    """The answer to what changes a hold."""
    return Accepted("1", 2, hold=Hold(seats, until_ms, 1))


@pytest.mark.parametrize(
    ("command", "right", "wrong"),
    [
        (HoldSeats("1", (3,)), holding(1, 2, 3), (holding(3), holding(1, 3), holding(1, 2, 3, 4), paid(1, 2))),
        (HoldSeats("1", (2, 3)), holding(1, 2, 3), (holding(2, 3),)),
        (HoldBest("1", 2), holding(1, 2, 3, 4), (holding(1, 2, 3), holding(1, 3, 4, 5), holding(3, 4))),
        (ReleaseSeats("1", (1,)), holding(2), (holding(), holding(1), holding(2, 3))),
        (ReleaseSeats("1", ()), holding(), (holding(2),)),
        (ExtendHold("1"), holding(1, 2, until_ms=10**15 + 1), (holding(1), holding(1, 2, until_ms=10**15 - 1))),
        (
            Checkout("1", "card"),
            paid(1, 2),
            (paid(1), paid(1, 2, 3), paid(1, 2, status=OrderStatus.PAYMENT_FAILED), holding(1, 2)),
        ),
    ],
    ids=lambda case: type(case).__name__,
)
async def test_an_answer_is_compared_to_the_seat_with_what_was_held(
    command: Command, right: Accepted, wrong: tuple[Accepted, ...]
) -> None:
    """With its negative controls."""
    for answer in (right, *wrong):
        bot = await a_bot("http://nobody.example", "e")
        bot.account.take(KEPT)
        bot.answer("ada", command, answer, 0.001, encode(answer))
        assert bot.sale.tally.broken == (answer is not right), answer


async def test_near_its_end_a_hold_may_be_gone() -> None:
    bot = await a_bot("http://nobody.example", "e")
    bot.account.take(holding(1, 2, until_ms=1))
    bot.answer("ada", HoldSeats("1", (3,)), holding(3), 0.001, b"")
    assert bot.sale.tally.broken == 0


async def test_a_command_that_is_not_understood_is_a_broken_promise() -> None:
    bot = await a_bot("http://nobody.example", "e")
    bot.answer("ada", HoldSeats("1", (1,)), rejected("1", Code.SEAT_TAKEN, (1,)), 0.001, b"")
    assert bot.sale.tally.broken == 0
    bot.answer("ada", HoldSeats("2", (1,)), rejected("2", Code.BAD_COMMAND), 0.001, b"")
    assert bot.sale.tally.broken == 1


async def test_waits_for_what_was_sent_again_are_counted_apart() -> None:
    bot = await a_bot("http://nobody.example", "e")
    bot.asks_again(None)
    bot.answer("ada", HoldSeats("1", (3,)), rejected("1", Code.SEAT_TAKEN, (3,)), 9.0, b"")
    bot.answer("ada", HoldSeats("2", (3,)), rejected("2", Code.SEAT_TAKEN, (3,)), 0.001, b"")
    tally = bot.sale.tally
    assert (sum(tally.waits_again.counts.values()), sum(tally.waits.counts.values())) == (1, 1)
    assert tally.waits_again.within_ms(1) > 8_000 > tally.waits.within_ms(1)


def test_a_seat_that_two_were_given_is_found() -> None:
    ada, bob = Belongings("ada", [1, 2], [3], 1_000), Belongings("bob", [2], [3], 1_000)
    assert given_twice([ada, bob], 999) == ["seat 2 was given to ada and bob", "seat 3 was given to ada and bob"]
    assert given_twice([ada, bob], 1_000) == ["seat 2 was given to ada and bob"], "these holds are over"
    assert given_twice([ada], 0) == []


def test_a_seat_that_is_not_shown_as_sold_is_found() -> None:
    assert hidden([Belongings("ada", [1, 2], [3], 0)], b"\0\2\2\1") == []
    assert "1 seats" in hidden([Belongings("ada", [1, 2], [], 0)], b"\0\2\1\0")[0]


async def test_a_server_that_dies_before_the_bots_come_is_told_as_such(tmp_path: Path) -> None:
    nowhere = PostgresAddress(str(tmp_path), 5432, "usher", "secret", "usher")
    with pytest.raises(ServerAway, match="the database of the server has gone"):
        await put_on_sale(nowhere, 10)
    with pytest.raises(ServerAway, match="the database of the server has gone"):
        await sign_in(nowhere, 1)
