"""The end of tasks that have no end of their own."""

import asyncio
from typing import Any

PATIENCE_S = 0.1


async def end(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel these tasks until they have ended; what they end with is not looked at.

    Once is not enough: before Python 3.12 `asyncio.wait_for` loses a cancellation that comes together with the
    result, and libraries use it; a task in a loop would go on, and whoever waits for its end would wait for ever.
    """
    running = {task for task in tasks if task is not None and not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=PATIENCE_S)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
