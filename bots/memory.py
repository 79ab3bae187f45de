"""How much memory the server and the bots take, and whether it grows."""

import asyncio
import contextlib
import os
import re
import time
from pathlib import Path

import aiohttp
from msgspec import Struct

SAMPLE_S = 2.0
WARM_UP_SHARE = 0.25
"""Of a run: so long caches fill."""
JUDGED_FROM_S = 300.0
"""A shorter run says nothing about growth."""
GROWTH_SHARE_MAX, GROWTH_MAX_MB = 0.2, 20.0
"""Since the warm-up; both together may be had."""
MB = 1_000_000

_STATM = Path("/proc/self/statm")
_RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)


class Memory(Struct, frozen=True):
    """Resident memory over a run, MB. `growth`: from the end of the warm-up, a quarter of the run, to the end."""

    first: float
    warm: float
    last: float
    peak: float
    growth: float


class MemoryCurve:
    """What was measured, in order."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, int]] = []

    def add(self, bytes_resident: int, at_s: float) -> None:
        """One more sample; 0 bytes is none."""
        if bytes_resident:
            self._samples.append((at_s, bytes_resident))

    def summary(self) -> Memory | None:
        """The figures; None: nothing was measured."""
        if not self._samples:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        warm_at = began + WARM_UP_SHARE * (ended - began)
        warm = next(size for at, size in self._samples if at >= warm_at)
        peak = max(size for _, size in self._samples)
        return Memory(*(round(size / MB, 1) for size in (first, warm, last, peak, last - warm)))


def grown(memory: Memory | None, run_s: float) -> list[str]:
    """Has it grown too much since the warm-up, in a run that was long enough? In a sentence."""
    if memory is None or run_s < JUDGED_FROM_S:
        return []
    if memory.growth <= GROWTH_SHARE_MAX * memory.warm + GROWTH_MAX_MB:
        return []
    return [
        f"memory grew: the server had {memory.warm:,.0f} MB after the warm-up, {memory.last:,.0f} MB at the end"
    ]


def own_memory_bytes() -> int:
    """Resident memory of this process; 0 where the system does not tell in this way."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def watch_server(http: aiohttp.ClientSession, url: str, curve: MemoryCurve) -> None:
    """Ask the server's `/metrics` now and then, if it answers us. Ends when cancelled."""
    token = os.environ.get("USHER_METRICS_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    while True:
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with http.get(f"{url.rstrip('/')}/metrics", headers=headers) as answer:
                found = _RESIDENT.search(await answer.text())
                curve.add(int(float(found[1])) if found else 0, time.monotonic())
        await asyncio.sleep(SAMPLE_S)
