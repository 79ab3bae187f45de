"""B13: how soon a server is there, and a large event after it has changed hands."""

import tempfile
import time
from pathlib import Path
from statistics import median

import aiohttp

from bots.event_socket import EventSocket
from bots.own_data import put_on_sale
from bots.rest import Rest
from tests.bench.bench import Bench, Case
from tests.bench.rows import Goal, row
from tests.chaos.processes import UsherProcess

SEATS = 80_000
READY = Goal("at most", 2)
LOADED = Goal("at most", 200)


async def start(bench: Bench) -> None:
    """B13."""
    starts_s, after_kill_s, loads_ms = [], [], []
    with tempfile.TemporaryDirectory(prefix="usher-bench-") as folder:
        server = UsherProcess(Path(folder) / "data")
        try:
            first_s = await server.start()
            event_id = await put_on_sale(server.database, SEATS)
            await server.stop()
            for _ in range(2 * bench.rounds):
                starts_s.append(await server.start())
                await _map_ms(server.url, event_id)
                await server.kill()
                after_kill_s.append(await server.start())
                loads_ms.append(await _map_ms(server.url, event_id))
                await server.stop()
        finally:
            await server.clean_up()
    bench.put(
        row(
            "B13",
            "`serve` to `ready` on an existing data directory",
            "s",
            median(starts_s),
            READY,
            details={"first_start_s": first_s, "after_a_kill_s": median(after_kill_s)},
            note="the engines are started, too; after a kill they are found at work",
        )
    )
    bench.put(
        row(
            "B13",
            f"an event of {SEATS:,} seats, taken over from a dead node",
            "ms",
            median(loads_ms),
            LOADED,
            note="from `open` on a socket to the map of all seats",
        )
    )


async def _map_ms(url: str, event_id: str) -> float:
    async with aiohttp.ClientSession() as http, EventSocket(Rest(http, url), event_id) as socket:
        began = time.perf_counter()
        await socket.open()
        return 1000 * (time.perf_counter() - began)


CASES = (Case("B13", "start", start, 200),)
