"""Waiting for what must come true: a condition is asked again and again until it holds, or a deadline has passed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.02


async def eventually(ask: Callable[[], Awaitable[T]], *, within: float = 15.0) -> T:
    """The first true answer of `ask`; AssertionError with the last one when none came within so many seconds."""
    deadline = time.monotonic() + within
    while True:
        answer = await ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s; the last answer was {answer!r}")
        await asyncio.sleep(PAUSE)
