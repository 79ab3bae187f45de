"""The gate before the waiting room: challenges are solved by whom they are for, on the socket and over REST."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import altcha
import asyncpg
import pytest
from msgspec.structs import replace

from protocol.codes import Code
from server.door.lobby_gate import EXPIRES_AFTER, LobbyGate, ProofOfWork, lobby_secret
from server.door.verified_email import KNOWN_S, VerifiedEmail
from server.people.session_cache import Session
from tests.server.draws import add_lobby
from tests.server.parts import SHARED, Customer, Usher

EVENT, ADA, BOB = str(uuid4()), str(uuid4()), str(uuid4())
FEW_TRIES = (3, 9)


class Clock:
    """The time in UTC, moved by hand."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment


def work(clock: Clock, secret: bytes = bytes(32)) -> ProofOfWork:
    return ProofOfWork(secret, clock, FEW_TRIES)


def solved(challenge: dict[str, Any]) -> str:
    """What an honest client sends."""
    found = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(found)
    assert solution is not None
    encoded: str = altcha.Payload(found, solution).to_base64()
    return encoded


def changed(proof: str, **how: Any) -> str:
    """A proof with other values in it; a name says where: `parameters__cost`."""
    payload = json.loads(base64.b64decode(proof))
    for path, value in how.items():
        part, _, name = path.partition("__")
        (payload["challenge"]["parameters"] if part == "parameters" else payload[part])[name] = value
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_a_solution_lets_its_owner_in() -> None:
    gate = work(Clock())
    proof = solved(gate.challenge(EVENT, ADA))
    assert gate.is_proven(EVENT, ADA, proof)
    assert gate.is_proven(EVENT, ADA, proof), "sent again: the place is there"


def test_and_nobody_else() -> None:
    gate = work(Clock())
    proof = solved(gate.challenge(EVENT, ADA))
    assert not gate.is_proven(EVENT, BOB, proof)
    assert not gate.is_proven(str(uuid4()), ADA, proof)
    stolen = changed(proof, parameters__data={"event": EVENT, "customer": BOB})
    assert not gate.is_proven(EVENT, BOB, stolen), "the data are signed"


def test_not_for_ever() -> None:
    clock = Clock()
    gate = work(clock)
    proof = solved(gate.challenge(EVENT, ADA))
    clock.moment += EXPIRES_AFTER - timedelta(seconds=1)
    assert gate.is_proven(EVENT, ADA, proof)
    clock.moment += timedelta(seconds=2)
    assert not gate.is_proven(EVENT, ADA, proof)
    later = int((clock.moment + EXPIRES_AFTER).timestamp())
    assert not gate.is_proven(EVENT, ADA, changed(proof, parameters__expiresAt=later))


def test_on_every_node_with_the_same_secret_alone() -> None:
    clock = Clock()
    proof = solved(work(clock).challenge(EVENT, ADA))
    assert work(clock).is_proven(EVENT, ADA, proof)
    assert not work(clock, bytes(31) + b"1").is_proven(EVENT, ADA, proof)


def test_work_that_was_not_done() -> None:
    gate = work(Clock())
    challenge = gate.challenge(EVENT, ADA)
    proof = solved(challenge)
    assert not gate.is_proven(EVENT, ADA, changed(proof, solution__derivedKey="00" * 32))
    for easier in ({"parameters__cost": 1}, {"parameters__keyPrefix": ""}, {"parameters__keySignature": None}):
        assert not gate.is_proven(EVENT, ADA, changed(proof, **easier))


def text(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "proof",
    [
        None,
        "",
        "x",
        "ä",
        "\0",
        text(None),
        text([]),
        text({}),
        text({"challenge": None, "solution": None}),
        text({"challenge": {"parameters": {}}, "solution": {}}),
        base64.b64encode(b"[" * 2_000).decode(),
        "A" * 100_000,
    ],
)
def test_what_is_no_proof(proof: str | None) -> None:
    assert not work(Clock()).is_proven(EVENT, ADA, proof)


async def test_further_checks_are_asked_in_turn() -> None:
    class OneOnly:
        async def refusal(self, _event_id: str, session: Session, _proof: str | None) -> Code | None:
            return None if str(session.customer_id) == ADA else Code.NOT_ADMITTED

    gate = LobbyGate([OneOnly(), work(Clock())])
    assert await gate.refusal(EVENT, session_of(BOB), None) is Code.NOT_ADMITTED
    assert await gate.refusal(EVENT, session_of(ADA), None) is Code.PROOF_REQUIRED
    assert await LobbyGate().refusal(EVENT, session_of(BOB), None) is None


def session_of(customer: str) -> Session:
    """A session of this customer, who has confirmed nothing."""
    return Session(bytes(32), UUID(customer), "Ada", "ada@example.org", "user", False, datetime.now(UTC))


async def test_all_nodes_have_one_secret(database: asyncpg.Pool) -> None:
    first = await lobby_secret(database)
    assert len(first) == 32
    assert await lobby_secret(database) == first


async def guarded(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this server ask for a proof, with little work."""
    challenges = ProofOfWork(await lobby_secret(usher.database), usher.parts.now, FEW_TRIES)
    monkeypatch.setattr(usher.parts, "lobby_challenges", challenges)
    monkeypatch.setattr(usher.parts, "lobby_gate", LobbyGate([challenges]))


async def challenge_for(usher: Usher, event_id: str, by: Customer) -> dict[str, Any]:
    found: dict[str, Any] = (await usher.rest("GET", f"/queue/{event_id}/challenge", by=by)).data
    return found


@SHARED
async def test_nobody_joins_without_a_proof(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id, ada, bob = await add_lobby(usher), await usher.customer(), await usher.customer("Bob")
    no_gate = await usher.rest("GET", f"/queue/{event_id}/challenge", by=ada)
    assert no_gate.refusal[0::2] == (404, "no_challenge")
    await guarded(usher, monkeypatch)

    join = f"/queue/{event_id}/join"
    assert (await usher.rest("POST", join, by=ada)).refusal[0::2] == (400, "proof_required")
    proof = solved(await challenge_for(usher, event_id, ada))
    assert (await usher.rest("POST", join, by=bob, headers={"X-Lobby-Proof": proof})).refusal[0] == 400
    assert (await usher.rest("POST", join, by=ada, headers={"X-Lobby-Proof": proof})).data["phase"] == "lobby"

    async with usher.socket(event_id, bob) as socket:
        assert (await socket.ask("join_queue"))["code"] == "proof_required"
        assert (await socket.ask("join_queue", proof=proof))["code"] == "proof_required", "it is Ada's"
        own = solved(await challenge_for(usher, event_id, bob))
        assert (await socket.ask("join_queue", proof=own))["type"] == "accepted"
    kept = await usher.database.fetchval("SELECT count(*) FROM queue_entry WHERE event_id::text = $1", event_id)
    assert kept == 2


@SHARED
async def test_only_who_has_confirmed_an_address_joins_where_that_is_asked_for(usher: Usher) -> None:
    event_id, ada = await add_lobby(usher), await usher.customer()
    await usher.database.execute(
        "UPDATE event SET waiting_room_verified_email = true WHERE id::text = $1", event_id
    )
    join = f"/queue/{event_id}/join"
    async with usher.socket(event_id, ada) as socket:
        assert (await usher.rest("POST", join, by=ada)).refusal[0::2] == (403, "email_not_verified")
        refused = await socket.ask("join_queue")
        assert (refused["code"], refused["retry"]) == ("email_not_verified", True)
        await usher.database.execute("UPDATE customer SET email_verified_at = now() WHERE id::text = $1", ada.id)
        assert (await socket.ask("join_queue"))["type"] == "accepted", "the session need not be a new one"
    assert (await usher.rest("POST", join, by=ada)).data["phase"] == "lobby"


@SHARED
async def test_what_an_event_asks_for_may_change(usher: Usher) -> None:
    clock = [0.0]
    check = VerifiedEmail(usher.database, usher.parts.accounts, lambda: clock[0])
    event_id, session = await add_lobby(usher), session_of((await usher.customer()).id)
    assert await check.refusal(event_id, session, None) is None
    await usher.database.execute(
        "UPDATE event SET waiting_room_verified_email = true WHERE id::text = $1", event_id
    )
    assert await check.refusal(event_id, session, None) is None, "it was asked just now"
    clock[0] += KNOWN_S
    assert await check.refusal(event_id, session, None) is Code.EMAIL_NOT_VERIFIED
    assert await check.refusal(event_id, replace(session, is_email_verified=True), None) is None
