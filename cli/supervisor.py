"""Keeps processes running: one that ends is started again, sooner the first time than the tenth; all are stopped in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from cli.servers.process import Child

FIRST_PAUSE = 0.3
LONGEST_PAUSE = 30.0
STEADY = 30.0
"""Seconds after which a process counts as running well, and its next end as the first one."""

Say = Callable[[str], None]


@dataclass
class Unit:
    """Something that is kept running. `child` tells the process of now; `start` starts it anew and returns when it answers."""

    name: str
    start: Callable[[], Awaitable[None]]
    child: Callable[[], Child | None]
    stop: Callable[[], Awaitable[None]]


def unit_of(child: Child) -> Unit:
    """A unit for a process that has no ceremony of its own."""
    return Unit(child.name, child.start, lambda: child, child.stop)


@dataclass
class Supervisor:
    """Starts units and watches them. `say` is told, in a sentence, what a person should know."""

    say: Say
    ended: Counter[str] = field(default_factory=Counter)
    _floors: list[Sequence[Unit]] = field(default_factory=list)
    _watches: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def start(self, units: Sequence[Unit]) -> None:
        """Start these at the same time, and watch them from now on. They are stopped after all that is started later."""
        self._floors.append(list(units))
        await asyncio.gather(*(unit.start() for unit in units))
        for unit in units:
            self._watches[unit.name] = asyncio.create_task(self._watch(unit))

    async def _watch(self, unit: Unit) -> None:
        pause, loop = FIRST_PAUSE, asyncio.get_running_loop()
        while (child := unit.child()) is not None:
            since = loop.time()
            code = await child.wait()
            self.ended[unit.name] += 1
            if loop.time() - since > STEADY:
                pause = FIRST_PAUSE
            self.say(f"{unit.name} ended ({_ending(code)}) and is started again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            await self._start_again(unit)

    async def _start_again(self, unit: Unit) -> None:
        try:
            await unit.start()
        except Exception as error:  # noqa: BLE001 - it is said, and tried again later
            self.say(f"{unit.name} does not start: {error}")
        else:
            self.say(f"{unit.name} was started again")

    async def stop(self) -> None:
        """Stop everything, the last started first; what was started together is stopped together."""
        for watch in self._watches.values():
            watch.cancel()
        await asyncio.gather(*self._watches.values(), return_exceptions=True)
        self._watches.clear()
        while self._floors:
            await asyncio.gather(*(unit.stop() for unit in self._floors.pop()))


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
