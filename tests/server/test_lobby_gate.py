"""The gate before the waiting room: challenges are solved by whom they are for, on the socket and over REST."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import altcha
import asyncpg
import pytest

from protocol.codes import Code
from server.door.lobby_gate import EXPIRES_AFTER, LobbyGate, ProofOfWork, lobby_secret
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
    assert gate.refusal(EVENT, ADA, proof) is None
    assert gate.refusal(EVENT, ADA, proof) is None, "sent again: the place is there"


def test_and_nobody_else() -> None:
    gate = work(Clock())
    proof = solved(gate.challenge(EVENT, ADA))
    assert gate.refusal(EVENT, BOB, proof) is Code.PROOF_REQUIRED
    assert gate.refusal(str(uuid4()), ADA, proof) is Code.PROOF_REQUIRED
    stolen = changed(proof, parameters__data={"event": EVENT, "customer": BOB})
    assert gate.refusal(EVENT, BOB, stolen) is Code.PROOF_REQUIRED, "the data are signed"


def test_not_for_ever() -> None:
    clock = Clock()
    gate = work(clock)
    proof = solved(gate.challenge(EVENT, ADA))
    clock.moment += EXPIRES_AFTER - timedelta(seconds=1)
    assert gate.refusal(EVENT, ADA, proof) is None
    clock.moment += timedelta(seconds=2)
    assert gate.refusal(EVENT, ADA, proof) is Code.PROOF_REQUIRED
    later = int((clock.moment + EXPIRES_AFTER).timestamp())
    assert gate.refusal(EVENT, ADA, changed(proof, parameters__expiresAt=later)) is Code.PROOF_REQUIRED


def test_on_every_node_with_the_same_secret_alone() -> None:
    clock = Clock()
    proof = solved(work(clock).challenge(EVENT, ADA))
    assert work(clock).refusal(EVENT, ADA, proof) is None
    assert work(clock, bytes(31) + b"1").refusal(EVENT, ADA, proof) is Code.PROOF_REQUIRED


def test_work_that_was_not_done() -> None:
    gate = work(Clock())
    challenge = gate.challenge(EVENT, ADA)
    proof = solved(challenge)
    assert gate.refusal(EVENT, ADA, changed(proof, solution__derivedKey="00" * 32)) is Code.PROOF_REQUIRED
    for easier in ({"parameters__cost": 1}, {"parameters__keyPrefix": ""}, {"parameters__keySignature": None}):
        assert gate.refusal(EVENT, ADA, changed(proof, **easier)) is Code.PROOF_REQUIRED


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
    assert work(Clock()).refusal(EVENT, ADA, proof) is Code.PROOF_REQUIRED


def test_further_checks_are_asked_in_turn() -> None:
    class OneOnly:
        def refusal(self, event_id: str, customer: str, proof: str | None) -> Code | None:
            return None if customer == ADA else Code.NOT_ADMITTED

    gate = LobbyGate([OneOnly(), work(Clock())])
    assert gate.refusal(EVENT, BOB, None) is Code.NOT_ADMITTED
    assert gate.refusal(EVENT, ADA, None) is Code.PROOF_REQUIRED
    assert LobbyGate().refusal(EVENT, BOB, None) is None


async def test_all_nodes_have_one_secret(database: asyncpg.Pool) -> None:
    first = await lobby_secret(database)
    assert len(first) == 32
    assert await lobby_secret(database) == first


async def guarded(usher: Usher) -> None:
    """Have this server ask for a proof, with little work."""
    challenges = ProofOfWork(await lobby_secret(usher.database), usher.parts.now, FEW_TRIES)
    usher.parts.lobby_challenges, usher.parts.lobby_gate = challenges, LobbyGate([challenges])


async def challenge_for(usher: Usher, event_id: str, by: Customer) -> dict[str, Any]:
    found: dict[str, Any] = (await usher.rest("GET", f"/queue/{event_id}/challenge", by=by)).data
    return found


@SHARED
async def test_nobody_joins_without_a_proof(usher: Usher) -> None:
    event_id, ada, bob = await add_lobby(usher), await usher.customer(), await usher.customer("Bob")
    no_gate = await usher.rest("GET", f"/queue/{event_id}/challenge", by=ada)
    assert no_gate.refusal[0::2] == (404, "no_challenge")
    await guarded(usher)

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
