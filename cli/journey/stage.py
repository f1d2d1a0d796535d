"""What the acts of the journey share: the people, the things they made, and a way to say and to expect."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from cli.network import Client, Person, Postbox, Refused

T = TypeVar("T")

PATIENCE = 20.0
ZONE = "America/New_York"


class JourneyBrokenError(Exception):
    """Something was not as it should be."""


def new_password() -> str:
    """A password nobody has used before."""
    return f"journey {secrets.token_hex(8)} walks"


@dataclass
class Live:
    """A live query: what it has told so far."""

    told: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, what: str, seen: Callable[[Live], bool]) -> None:
        """Wait until it has told what is wanted."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not seen(self):
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            raise JourneyBrokenError(f"{what}: the live query told only {self.told}") from None


@dataclass
class Stage:
    """The journey's stage. `say` shows a person what happened."""

    client: Client
    postbox: Postbox
    support: Person
    nats_url: str
    say: Callable[[str], None]
    act: Callable[[str], None]
    days_moved: int = 0
    sent_on: date = date.min
    people: dict[str, Person] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    lives: dict[str, Live] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _keys: int = 0

    def key(self) -> str:
        """A fresh idempotency key."""
        self._keys += 1
        return f"journey-{self._keys}"

    def today(self) -> date:
        """The day it is for the suite, where the offices are."""
        return (self.now().astimezone(ZoneInfo(ZONE))).date()

    def now(self) -> datetime:
        """The suite's time, as far as the journey moved it."""
        return datetime.now(ZoneInfo("UTC")) + timedelta(days=self.days_moved)

    async def move(self, days: int) -> None:
        """Let days pass."""
        await self.client.advance(timedelta(days=days))
        self.days_moved += days
        self.say(f"{days} days pass: it is {self.today():%A, %d %B %Y}")

    def expect(self, holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
        """JourneyBrokenError unless it holds."""
        if not holds:
            raise JourneyBrokenError(what)

    async def refused(self, code: str, attempt: Awaitable[object]) -> Refused:
        """The attempt must be refused with this code."""
        try:
            done = await attempt
        except Refused as refusal:
            self.expect(refusal.code == code, f"expected {code}, was refused with {refusal}")
            self.say(f"refused, {refusal.code}: {refusal.problem['message']}")
            return refusal
        raise JourneyBrokenError(f"expected {code}, but it was done: {done}")

    async def eventually(
        self, what: str, ask: Callable[[], Awaitable[T]], holds: Callable[[T], bool]
    ) -> T:
        """Ask until the answer holds: facts take a moment to arrive."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            answer = await ask()
            if holds(answer):
                return answer
            if asyncio.get_running_loop().time() > deadline:
                raise JourneyBrokenError(f"{what} did not come true: {answer}")
            await asyncio.sleep(0.05)

    async def confirmed(self, role: str, name: str, email: str) -> Person:
        """A person who follows the link of the newest mail and sets a password."""
        person = Person(self.client, name, email)
        await person.confirm(await self.postbox.letter(email), new_password())
        await person.sign_in()
        self.people[role] = person
        self.say(f"{name} confirmed {email} from the mail, and signed in")
        return person

    async def watch(self, name: str, subscription: str, by: Person, **variables: str) -> Live:
        """Open a live query; it is listening when this returns."""
        await by.ask("{ viewer { user { id } } }")
        live = self.lives[name] = Live()
        opened = asyncio.Event()

        async def follow() -> None:
            try:
                async for answer in self.client.live(subscription, variables, by=by, opened=opened):
                    live.told.append(answer)
                    live.changed.set()
            finally:
                live.ended = True
                opened.set()
                live.changed.set()

        task = asyncio.create_task(follow())
        self.tasks.add(task)
        await opened.wait()
        self.expect(not live.ended, f"the live query {name} ended at once: {live.told}")
        return live


@asynccontextmanager
async def closing(stage: Stage) -> AsyncIterator[Stage]:
    """End the live queries that are still open."""
    try:
        yield stage
    finally:
        for task in stage.tasks:
            task.cancel()
        await asyncio.gather(*stage.tasks, return_exceptions=True)
        stage.client.close()
