"""How many people can sign in with a password in a second, and what of it is the password's hash."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from cli.bench.figures import over_rounds
from cli.bench.machine import watched
from cli.bench.processes import cpu_by_part, need_proc, spent
from cli.bench.report import Part, Report, Row, Target, by_part
from cli.bench.world import NO_BUDGET
from cli.demo import ephemeral_system, stage_of
from cli.journey.opening import DOMAIN, LAKESIDE, organizations_open
from cli.journey.stage import Stage, closing, new_password
from cli.network import Person
from services.identity.actions.means import HASHING_THREADS, Hasher

USUAL = 8
AT_ONCE = (1, USUAL, 32)
SECONDS = 4.0
"""Of a round."""

WANTED = "... on SignedIn { stage }"
SIZED = 1000 / 15
"""Processor milliseconds of a password sign-in by which Keycloak is sized: 15 a second on one core."""

METHOD = (
    f"signIn through the gateway by so many people at once, each with a password of their own, who sign in again as soon as they are"
    f" in: Argon2id (t=2, 19 MiB, p=1) on {HASHING_THREADS} threads, the throttle, a session with its tokens, an entry of the audit"
    " trail. The baseline is the same hashes alone, on as many threads in this process, with nothing around them."
)

SignIn = Callable[[int], Awaitable[object]]
"""One sign-in of the person of that number."""


class Round(NamedTuple):
    """What one round came to: milliseconds of each, how many in a second, CPU milliseconds of each by part."""

    times: list[float]
    per_second: float
    cpu: dict[str, float]


async def measure(rounds: int) -> Report:
    """Measure sign-ins and bare hashes in turns, at each concurrency."""
    need_proc()
    async with (
        ephemeral_system(durable=True, environment=NO_BUDGET) as system,
        closing(stage_of(system, _Silent())) as stage,
    ):
        ways = {"sign-in": _gateway(await _people(stage)), "hash alone": await _bare()}
        for way in ways.values():
            await asyncio.gather(*(way(number) for number in range(max(AT_ONCE))))
        with watched() as machine:
            found = await _take_turns(ways, rounds)
    costs = by_part(
        f"Processor time of a sign-in, {USUAL} at once",
        [one.cpu for one in found["sign-in", USUAL]],
    )
    cpu = median(sum(one.cpu.values()) for one in found["sign-in", USUAL])
    target = Target("processor time of a sign-in", cpu, SIZED, "ms")
    return Report("sign-in", METHOD, [Part("Signing in", _rows(found)), costs], [target], machine)


class _Silent:
    def act(self, title: str) -> None:
        """Nobody is told."""

    def say(self, what: str) -> None:
        """Nobody is told."""


async def _people(stage: Stage) -> list[Person]:
    """Confirmed users, by the public doors."""
    await organizations_open(stage)
    admin, people = stage.people["A admin"], []
    for number in range(max(AT_ONCE)):
        name, email = f"Sample Person {number}", f"person.{number}@{DOMAIN[LAKESIDE]}"
        given = {"email": email, "name": name, "idempotencyKey": stage.key()}
        await admin.do("inviteUser", given, "... on UserInvited { user { id } }")
        people.append(Person(stage.client, name, email))
    for person in people:
        await person.confirm(await stage.postbox.letter(person.email), new_password())
    return people


def _gateway(people: Sequence[Person]) -> SignIn:
    async def sign_in(number: int) -> None:
        person = people[number]
        given = {"email": person.email, "password": person.password}
        await person.client.do("signIn", given, WANTED)

    return sign_in


async def _bare() -> SignIn:
    hasher, password = Hasher(), new_password()
    known = await hasher.hash(password)
    return lambda _: hasher.right(password, known)


async def _take_turns(
    ways: Mapping[str, SignIn], rounds: int
) -> dict[tuple[str, int], list[Round]]:
    found: dict[tuple[str, int], list[Round]] = {
        (name, at_once): [] for at_once in AT_ONCE for name in ways
    }
    for _ in range(rounds):
        for (name, at_once), done in found.items():
            done.append(await _round(ways[name], at_once))
    return found


async def _round(way: SignIn, at_once: int) -> Round:
    used, begun = cpu_by_part(), time.perf_counter()
    times: list[float] = []

    async def again_and_again(number: int) -> None:
        while (now := time.perf_counter()) - begun < SECONDS:
            await way(number)
            times.append(1000 * (time.perf_counter() - now))

    await asyncio.gather(*map(again_and_again, range(at_once)))
    took = time.perf_counter() - begun
    return Round(times, len(times) / took, spent(used, cpu_by_part(), len(times)))


def _rows(found: Mapping[tuple[str, int], list[Round]]) -> list[Row]:
    cores = os.cpu_count() or 1
    return [
        {
            "way": name,
            "at_once": at_once,
            "per_second": median(one.per_second for one in rounds),
            "per_second_and_core": median(one.per_second for one in rounds) / cores,
            "p50_ms": over_rounds([one.times for one in rounds]).p50,
            "p99_ms": over_rounds([one.times for one in rounds]).p99,
            "cpu_ms": median(sum(one.cpu.values()) for one in rounds),
            "share_of_hash_alone": _share(rounds, found["hash alone", at_once]),
        }
        for (name, at_once), rounds in found.items()
    ]


def _share(rounds: list[Round], baseline: list[Round]) -> float:
    """The share of the baseline's number in a second, round by round."""
    pairs = zip(rounds, baseline, strict=True)
    return median(one.per_second / base.per_second for one, base in pairs)
