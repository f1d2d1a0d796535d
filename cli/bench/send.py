"""How many referrals can be sent in a second, and how long each takes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from typing import Any, NamedTuple

from cli.bench.door import Door, viewer_of
from cli.bench.figures import over_rounds
from cli.bench.machine import watched
from cli.bench.processes import cpu_by_part, need_proc, spent
from cli.bench.report import Part, Report, Row, by_part
from cli.bench.world import World, world
from cli.journey.places import CARDIOLOGY
from cli.trouble import Trouble

USUAL = 8
AT_ONCE = (1, USUAL, 32)
SECONDS = 4.0
"""Of a round."""

WARM_UP = 20
VERB = "sendReferral"
WANTED = "... on Referral { id status }"
DOCUMENT = (
    "mutation($input: SendReferralInput!) { sendReferral(input: $input) {"
    f" __typename ... on Problem {{ code message }} {WANTED} }} }}"
)
METHOD = (
    "sendReferral, written and sent in one call, to 50 providers in turn, by so many senders who each wait for their answer."
    " Each asks identity, directory (is the receiver there?) and insurance (is the plan accepted?), commits durably, and tells"
    " both organizations. By hand: the same mutation at the service's own door, with a signed viewer."
)

Send = Callable[[], Awaitable[None]]


class Round(NamedTuple):
    """What one round came to: milliseconds of each send, sends per second, CPU milliseconds per send by part."""

    times: list[float]
    per_second: float
    cpu: dict[str, float]


async def measure(rounds: int) -> Report:
    """Measure both doors in turns, at each concurrency."""
    need_proc()
    async with world() as built:
        door = Door(built.system, "referrals", await viewer_of(built.system, built.sender))
        numbers = itertools.count()
        ways = {
            "gateway": _gateway(built, numbers),
            "service by hand": _by_hand(built, door, numbers),
        }
        for send in ways.values():
            for _ in range(WARM_UP):
                await send()
        with watched() as machine:
            found = await _take_turns(ways, rounds)
        door.close()
    costs = by_part(
        f"Processor time of a send, {USUAL} at once", [one.cpu for one in found["gateway", USUAL]]
    )
    return Report("send", METHOD, [Part("Sending referrals", _rows(found)), costs], (), machine)


def _draft(built: World, number: int) -> dict[str, Any]:
    ids = built.stage.ids
    return {
        "idempotencyKey": f"bench-{number}",
        "outsidePlanReason": "PATIENT_CHOICE",
        "draft": {
            "sender": {"officeId": ids["B office"], "providerId": ids["family doctor"]},
            "patient": {"givenName": "Jordan", "familyName": "Sample", "bornOn": "1961-04-12"},
            "specialtyCode": CARDIOLOGY,
            "receiver": {
                "officeId": ids["A office"],
                "providerId": built.providers[number % len(built.providers)],
            },
            "planId": ids["plan"],
        },
    }


def _gateway(built: World, numbers: itertools.count[int]) -> Send:
    async def send() -> None:
        await built.sender.do(VERB, _draft(built, next(numbers)), WANTED)

    return send


def _by_hand(built: World, door: Door, numbers: itertools.count[int]) -> Send:
    async def send() -> None:
        answer = await door.ask(DOCUMENT, {"input": _draft(built, next(numbers))})
        if answer[VERB]["__typename"] != "Referral":
            raise Trouble(f"A referral could not be sent: {answer[VERB]}")

    return send


async def _take_turns(ways: Mapping[str, Send], rounds: int) -> dict[tuple[str, int], list[Round]]:
    found: dict[tuple[str, int], list[Round]] = {
        (name, at_once): [] for at_once in AT_ONCE for name in ways
    }
    for _ in range(rounds):
        for (name, at_once), done in found.items():
            done.append(await _round(ways[name], at_once))
    return found


async def _round(send: Send, at_once: int) -> Round:
    used, begun = cpu_by_part(), time.perf_counter()
    times: list[float] = []

    async def sender() -> None:
        while (now := time.perf_counter()) - begun < SECONDS:
            await send()
            times.append(1000 * (time.perf_counter() - now))

    await asyncio.gather(*(sender() for _ in range(at_once)))
    took = time.perf_counter() - begun
    return Round(times, len(times) / took, spent(used, cpu_by_part(), len(times)))


def _rows(found: Mapping[tuple[str, int], list[Round]]) -> list[Row]:
    return [
        {
            "way": name,
            "at_once": at_once,
            "per_second": median(one.per_second for one in rounds),
            "p50_ms": over_rounds([one.times for one in rounds]).p50,
            "p99_ms": over_rounds([one.times for one in rounds]).p99,
            "cpu_ms": median(sum(one.cpu.values()) for one in rounds),
            "share_of_by_hand": _share(rounds, found["service by hand", at_once]),
        }
        for (name, at_once), rounds in found.items()
    ]


def _share(rounds: list[Round], baseline: list[Round]) -> float:
    """The share of the baseline's sends per second, round by round."""
    pairs = zip(rounds, baseline, strict=True)
    return median(one.per_second / base.per_second for one, base in pairs)
