"""Tasks that go on until they are stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN = 0.5


async def stop(tasks: Iterable[asyncio.Task[Any]]) -> list[Exception]:
    """Cancel tasks and wait until they are over; answers what failed before or during it.

    One that goes on is cancelled again: asyncio.wait_for (Python 3.11), which libraries use, forgets a cancellation that comes
    at the moment of its result.
    """
    tasks = list(tasks)
    while going_on := [task for task in tasks if not task.done()]:
        for task in going_on:
            task.cancel()
        await asyncio.wait(going_on, timeout=AGAIN)
    failures = [task.exception() for task in tasks if not task.cancelled()]
    return [failure for failure in failures if isinstance(failure, Exception)]
