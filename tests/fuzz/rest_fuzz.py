"""Has schemathesis attack the REST side of a server of its own: as a stranger, as a customer and as an admin.

    python -m tests.fuzz.rest_fuzz --seconds 600 --seed 7

Requests come from the server's own OpenAPI document. A finding is printed with the `curl` that repeats it, and the
exit status is 1. At the end the server's log has no trouble in it and the audit finds nothing.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import aiohttp
import asyncpg

from tests.chaos.processes import ROOT, UsherProcess

ENDS_ITS_OWN_SESSION = ("logout", "change_password", "end_session", "end_other_sessions", "confirm_password_reset")
"""Operations that only a stranger may try: the others' session is to last until the end."""
PHASES = "examples,coverage,fuzzing,stateful"
PASSWORD = "a long enough password"
EXTRA_S = 120.0
"""What a run may take beyond its time before it is ended."""

_TROUBLE = re.compile(r"Traceback|\b(?:ERROR|CRITICAL)\b|\"level\": ?\"(?:error|critical)\"|never retrieved")


class Attack(NamedTuple):
    """How long and how hard: `seconds` bounds a run, `examples` an operation in a phase; one of them is given."""

    seed: int
    seconds: int | None = None
    examples: int | None = None


class Failed(AssertionError):
    """What schemathesis, the log or the audit has found."""


async def attack(server: UsherProcess, how: Attack) -> str:
    """Attack as everybody; answers what schemathesis said.

    Raises:
        Failed: something was found.
    """
    said = []
    for role in (None, "user", "admin"):
        session = None if role is None else await _signed_in(server, role)
        said.append(f"as {role or 'a stranger'}:\n{await run(server.url, how, session)}")
    trouble = [line for line in server.log.read_text(errors="replace").splitlines() if _TROUBLE.search(line)]
    if trouble:
        raise Failed("in the server's log: " + "\n".join(trouble[:20]))
    async with aiohttp.ClientSession(server.url) as http, http.get("/health") as answer:
        if answer.status != 200:
            raise Failed(f"the server is not well: {await answer.text()}")
    await _audit(server)
    return "\n".join(said)


async def run(url: str, how: Attack, session: str | None = None) -> str:
    """One run of schemathesis against the server at `url`; answers what it said.

    Raises:
        Failed: it found something.
    """
    options = ["--seed", str(how.seed), "--phases", PHASES, "--checks", "all", "--continue-on-failure"]
    # What fits its schema may be refused all the same, with 400: a taken seat, an account that exists. And with a
    # cookie that says nothing the header that we send counts, so a made-up cookie is not refused.
    options += ["--exclude-checks", "positive_data_acceptance,ignored_auth"]
    options += ["--generation-database", "none", "--no-color", "--request-timeout", "20", "--warnings", "off"]
    if how.seconds is not None:
        options += ["--max-time", str(how.seconds)]
    if how.examples is not None:
        options += ["--max-examples", str(how.examples)]
    if session is not None:
        options += ["--header", f"X-Session-Id: {session}"]
        for name in ENDS_ITS_OWN_SESSION:
            options += ["--exclude-operation-id", name]
    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        return await _say(how, url, options, folder)


async def _say(how: Attack, url: str, options: list[str], folder: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/openapi.json", *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,  # it leaves files where it runs
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.rest_checks", "PYTHONPATH": str(ROOT)},
    )
    try:
        async with asyncio.timeout(EXTRA_S + (how.seconds or 10 * (how.examples or 0))):
            raw, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = raw.decode(errors="replace")
    if process.returncode != 0:
        raise Failed(f"with --seed {how.seed}:\n{said}")
    return said


async def _signed_in(server: UsherProcess, role: str) -> str:
    """The id of a session of a new account with this role."""
    email = f"{role}@example.org"
    async with aiohttp.ClientSession(server.url) as http:
        body = {"email": email, "password": PASSWORD, "name": role}
        async with http.post("/api/v1/auth/register", json=body) as answer:
            assert answer.status == 201, await answer.text()
        at = server.database
        database = await asyncpg.connect(
            host=at.host, port=at.port, user=at.user, password=at.password, database=at.database
        )
        await database.execute("UPDATE customer SET role = $2 WHERE email = $1", email, role)
        await database.close()
        async with http.post("/api/v1/auth/login", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["data"]["sessionId"])


async def _audit(server: UsherProcess) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "audit", "--data-dir", str(server.data_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
    )
    raw, _ = await process.communicate()
    if process.returncode != 0:
        raise Failed(f"the audit: {raw.decode()}")


async def _main(how: Attack) -> int:
    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        server = UsherProcess(Path(folder) / "data")
        await server.start()
        try:
            print(await attack(server, how))
        except Failed as found:
            print(found, file=sys.stderr)
            return 1
        finally:
            await server.clean_up()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="in all (60)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.exit(asyncio.run(_main(Attack(options.seed, seconds=max(1, options.seconds // 3)))))
