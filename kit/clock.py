"""One time for all: the database's, plus an offset that only development and tests may set.

A process asks its source (its database; the gateway asks identity) now and then, and in between counts with its own monotonic
timer. The machine's wall clock is never read, so a service with a wrong one expires nothing early.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

RESYNC = timedelta(seconds=30)
"""How often a process asks its source again."""

TRIES = 3
QUICK = 0.02
"""Seconds of a round trip that is good enough: the reading is off by half of it at most."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source says: its own time, and the offset of development and tests."""

    at: datetime
    offset: timedelta


Source = Callable[[], Awaitable[Reading]]


class Clock:
    """The suite's time. Reading it is synchronous and costs nothing."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reading: Reading | None = None
        self._read_at = 0.0

    async def sync(self) -> None:
        """Ask the source. The round trip's middle is taken as the moment of the reading; a slow one, which may have waited its turn
        on one side only, is asked again, and the quickest of three counts."""
        quickest = float("inf")
        for _ in range(TRIES):
            before = time.monotonic()
            reading = await self._source()
            after = time.monotonic()
            if after - before < quickest:
                quickest = after - before
                self._reading, self._read_at = reading, (before + after) / 2
            if quickest <= QUICK:
                return

    def now(self) -> datetime:
        """The suite's time, in UTC: what every expiry, deadline and date is decided by."""
        return self.real() + self._known().offset

    def real(self) -> datetime:
        """The source's own time without any offset, for the short lives of headers between processes."""
        return self._known().at + timedelta(seconds=time.monotonic() - self._read_at)

    def today(self, zone: ZoneInfo) -> date:
        """The day it is where a person reads the calendar."""
        return self.now().astimezone(zone).date()

    @property
    def offset(self) -> timedelta:
        """How far development has moved the clock; zero in production."""
        return self._known().offset

    def _known(self) -> Reading:
        if self._reading is None:
            raise RuntimeError("the clock has not been synchronized yet")
        return self._reading


def fixed(at: datetime) -> Clock:
    """A clock that starts at `at`, for pure tests."""
    clock = Clock(source=_never)
    clock._reading, clock._read_at = Reading(at, timedelta()), time.monotonic()  # noqa: SLF001 - its own module
    return clock


async def _never() -> Reading:
    raise RuntimeError("a fixed clock has no source")
