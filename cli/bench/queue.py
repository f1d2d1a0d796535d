"""A page of a large organization's work queue, and how soon a change is with who watches the queue."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from cli.bench.door import Door, viewer_of
from cli.bench.figures import over_rounds, ratio
from cli.bench.machine import watched
from cli.bench.processes import cpu_by_part, need_proc, spent
from cli.bench.report import Part, Report, Row, Target, by_part
from cli.bench.world import World, world
from cli.journey.places import CARDIOLOGY
from cli.trouble import Trouble
from kit.ids import new_id
from services.referrals.actions.patients import PATIENT
from services.referrals.actions.vault import Vault
from services.referrals.domain import OrganizationId, Patient

SQL = Path(__file__).parent / "sql"
REFERRALS = 100_000
PAGES = 60
"""Of a round, one after another."""

WARM_UP = 15
CHANGES = 60
WATCHERS = (1, 32)
ENDS = 5
GATEWAY, BY_HAND, LOOKUP = "gateway", "service by hand", "one page by an index"
FOLLOWS_WITHIN_MS = 1000.0
SEES_ALL = {"suite.scope": "suite"}
PAGE = """query($office: ID!) { workQueue(kind: REQUIRES_REVIEW, officeId: $office, first: 50) {
  counts { requiresReview sent received archive } pageInfo { hasNextPage endCursor }
  edges { node { id version status urgency dueAt overdue unreadMessages allowedActions receivedAt: sentAt
    patient { givenName familyName bornOn } } } } }"""
WATCH = """subscription($office: ID!) { workQueueChanged(officeId: $office) {
  happened referral { id status version } } }"""
STATUSES = ("PENDING", "IN_PROGRESS", *("COMPLETED",) * 18)
"""Of twenty referrals; what has ended stays in the tables of the queue."""

METHOD = (
    f"An organization that has received {REFERRALS:,} referrals at four offices, one in ten of them open. The page: the first 50 of what"
    " requires review at one office, with its patients (sealed, and read into the audit trail), clocks, allowed actions and the"
    " counts of all four queues. By hand: the same at the service's own door. The baseline: the ids of the page, by one index. The"
    " change: an acknowledgement; the watcher's stopwatch begins, like that of who acknowledges, when it is asked for. The end: from"
    " the answer to who takes the role away until the watcher's stream has ended."
)

Way = Callable[[], Awaitable[Any]]


async def measure(rounds: int) -> Report:
    """Measure pages in turns, then changes, then the end of access."""
    need_proc()
    async with world() as built, AsyncExitStack() as stack:
        await _fill(built)
        await built.stage.people["A staff"].sign_in()
        ways = await _ways(built, stack)
        with watched() as machine:
            times, cost = await _take_turns(ways, rounds)
            changes = {
                watchers: [await _changes(built, watchers) for _ in range(rounds)]
                for watchers in WATCHERS
            }
            ends = [await _end(built) for _ in range(ENDS)]
    parts = [
        Part("A page of the queue", _page_rows(times)),
        by_part("Processor time of a page through the gateway", [cost]),
        Part("A change, and those who watch", _change_rows(changes)),
        Part("The end of access", [{"ends": ENDS, "p50_ms": over_rounds([ends]).p50}]),
    ]
    seen = [seen for rounds_ in changes.values() for _, seen in rounds_]
    targets = [
        Target("change at the watcher p99", over_rounds(seen).p99, FOLLOWS_WITHIN_MS, "ms"),
        Target("slowest end of access", max(ends), FOLLOWS_WITHIN_MS, "ms"),
    ]
    return Report("queue", METHOD, parts, targets, machine)


# The made-up organization ---------------------------------------------------------------------------------------------


async def _fill(built: World) -> None:
    """One referral by the public door, which makes the sender's key, and the others beside it."""
    await _sent(built)
    owner = await asyncpg.connect(
        built.system.postgres.url("referrals"), server_settings=SEES_ALL, command_timeout=600
    )
    try:
        await _copy(built, owner)
        await owner.execute("VACUUM ANALYZE", timeout=600)
        await owner.execute("CHECKPOINT")
    finally:
        await owner.close()


async def _copy(built: World, owner: asyncpg.Connection[asyncpg.Record]) -> None:
    sender = OrganizationId(UUID(built.sender.organization_id))
    secret = built.system.folder.secret("patients.key")
    keys = await Vault(bytes.fromhex(secret)).own(owner, sender)
    like = dict(await owner.fetchrow(_sql("one_referral")) or {})
    offices = await _offices(built)
    now = built.stage.now()
    draw = random.Random(20)  # noqa: S311 - for an organization alike in each run
    plain = Patient("Jordan", "Sample", date(1961, 4, 12), None, None, None, None).as_data()
    rows, hops, patients = [], [], []
    for number in range(REFERRALS):
        row = _made_up(like, offices[number % len(offices)], now, draw)
        sealed = keys.seal(plain, row["id"], PATIENT)
        rows.append(tuple(row.values()))
        hops.append(_hop(row))
        patients.append((row["id"], sender, sealed.key_number, sealed.box))
    await owner.copy_records_to_table("referrals", records=rows, columns=list(like))
    await owner.copy_records_to_table("hops", records=hops, columns=_HOP)
    await owner.copy_records_to_table("patients", records=patients)


_HOP = (
    "referral_id", "hop", "organization_id", "office_id", "provider_id", "group_id", "received_at",
)  # fmt: skip


def _hop(row: dict[str, Any]) -> tuple[Any, ...]:
    ends = (row[f"receiving_{name}"] for name in _HOP[2:6])
    return (row["id"], 1, *ends, row["received_at"])


def _made_up(
    like: dict[str, Any], end: tuple[UUID, UUID], now: datetime, draw: random.Random
) -> dict[str, Any]:
    """A referral as the one that was sent, to another office and provider, another time ago."""
    office, provider = end
    status = draw.choice(STATUSES)
    seen = "SEEN" if status == "COMPLETED" else None
    days = 365 if seen else 5  # nobody is late: a job would tell of ten thousand at once
    at = now - timedelta(minutes=draw.randrange(1, 60 * 24 * days))
    return like | {
        "id": new_id(),
        "status": status,
        "receiving_office_id": office,
        "receiving_provider_id": provider,
        "outcome": seen,
        "outcome_at": at if seen else None,
        **dict.fromkeys(("created_at", "sent_at", "received_at", "status_since", "changed_at"), at),
    }


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


async def _offices(built: World) -> list[tuple[UUID, UUID]]:
    """Where and to whom, in turn."""
    query = "{ providers(first: 50) { edges { node { id placements { office { id } } } } } }"
    found = (await built.manager.ask(query))["providers"]["edges"]
    return [
        (UUID(placement["office"]["id"]), UUID(edge["node"]["id"]))
        for edge in found
        for placement in edge["node"]["placements"]
    ]


async def _sent(built: World) -> dict[str, Any]:
    ids = built.stage.ids
    given = {
        "idempotencyKey": built.stage.key(),
        "outsidePlanReason": "PATIENT_CHOICE",
        "draft": {
            "sender": {"officeId": ids["B office"], "providerId": ids["family doctor"]},
            "patient": {"givenName": "Jordan", "familyName": "Sample", "bornOn": "1961-04-12"},
            "specialtyCode": CARDIOLOGY,
            "receiver": {"officeId": ids["A office"], "providerId": built.providers[0]},
            "planId": ids["plan"],
        },
    }
    return await built.sender.do("sendReferral", given, "... on Referral { id version }")


# Pages ----------------------------------------------------------------------------------------------------------------


async def _ways(built: World, stack: AsyncExitStack) -> dict[str, Way]:
    staff, office = built.stage.people["A staff"], built.stage.ids["A office"]
    door = Door(built.system, "referrals", await viewer_of(built.system, staff))
    stack.callback(door.close)
    reader = await asyncpg.connect(built.system.database_url("referrals"), server_settings=SEES_ALL)
    stack.push_async_callback(reader.close)
    statement = _sql("queue")
    organization = UUID(built.manager.organization_id)
    given = {"office": office}

    async def gateway() -> int:
        return _expected(await staff.ask(PAGE, **given))

    async def by_hand() -> int:
        return _expected(await door.ask(PAGE, given))

    async def lookup() -> int:
        return len(await reader.fetch(statement, organization, UUID(office)))

    return {GATEWAY: gateway, BY_HAND: by_hand, LOOKUP: lookup}


def _expected(answer: dict[str, Any]) -> int:
    edges = answer["workQueue"]["edges"]
    if len(edges) != 50 or not all(edge["node"]["patient"] for edge in edges):  # noqa: PLR2004 - a page
        raise Trouble("The page of the queue is not what it should be.")
    return len(edges)


async def _take_turns(
    ways: dict[str, Way], rounds: int
) -> tuple[dict[str, list[list[float]]], dict[str, float]]:
    times: dict[str, list[list[float]]] = {name: [] for name in ways}
    cost: dict[str, float] = {}
    for ask in ways.values():
        for _ in range(WARM_UP):
            await ask()
    for _ in range(rounds):
        for name, ask in ways.items():
            used = cpu_by_part()
            times[name].append([await _timed(ask) for _ in range(PAGES)])
            if name == GATEWAY:
                cost = spent(used, cpu_by_part(), PAGES)
    return times, cost


async def _timed(ask: Way) -> float:
    begun = time.perf_counter()
    await ask()
    return 1000 * (time.perf_counter() - begun)


def _page_rows(times: dict[str, list[list[float]]]) -> list[Row]:
    return [
        {
            "way": name,
            "p50_ms": over_rounds(rounds).p50,
            "p99_ms": over_rounds(rounds).p99,
            "gateway_over_it": ratio(times[GATEWAY], rounds),
        }
        for name, rounds in times.items()
    ]


# Changes --------------------------------------------------------------------------------------------------------------


async def _changes(built: World, watchers: int) -> tuple[list[float], list[float]]:
    """Milliseconds until who acknowledges has the answer, and until the last of those who watch has the change."""
    staff = built.stage.people["A staff"]
    answered, seen = [], []
    async with AsyncExitStack() as stack:
        lives = [await stack.enter_async_context(_watching(built)) for _ in range(watchers)]
        for _ in range(CHANGES):
            sent = await _sent(built)
            await asyncio.gather(*(_until(live, sent["id"], "SENT") for live in lives))
            order = {"referralId": sent["id"], "expectedVersion": sent["version"]}
            begun = time.perf_counter()
            waiting = [
                asyncio.create_task(_until(live, sent["id"], "ACKNOWLEDGED")) for live in lives
            ]
            await staff.do("acknowledgeReferral", order, "... on Referral { id }")
            answered.append(1000 * (time.perf_counter() - begun))
            arrived = max(await asyncio.gather(*waiting))
            seen.append(1000 * (arrived - begun))
    return answered, seen


@asynccontextmanager
async def _watching(built: World) -> AsyncIterator[AsyncGenerator[dict[str, Any]]]:
    """Somebody watches the queue of the office, and has begun to."""
    staff, opened = built.stage.people["A staff"], asyncio.Event()
    given = {"office": built.stage.ids["A office"]}
    live = staff.client.live(WATCH, given, by=staff, opened=opened)
    first = asyncio.ensure_future(anext(live))
    await opened.wait()
    async with aclosing(_with_first(first, live)) as answers:
        yield answers


async def _with_first(
    first: asyncio.Future[dict[str, Any]], live: AsyncIterator[dict[str, Any]]
) -> AsyncGenerator[dict[str, Any]]:
    yield await first
    async for answer in live:
        yield answer


async def _until(live: AsyncGenerator[dict[str, Any]], referral: str, happened: str) -> float:
    """When that was heard of the referral."""
    async for answer in live:
        if "data" not in answer or answer.get("errors"):
            raise Trouble(f"The queue could not be followed: {answer}")
        change = answer["data"]["workQueueChanged"]
        if (change["referral"]["id"], change["happened"]) == (referral, happened):
            return time.perf_counter()
    raise Trouble("The queue could not be followed to the end.")


def _change_rows(changes: dict[int, list[tuple[list[float], list[float]]]]) -> list[Row]:
    return [
        {
            "watchers": watchers,
            "answer_p50_ms": over_rounds([answered for answered, _ in rounds]).p50,
            "answer_p99_ms": over_rounds([answered for answered, _ in rounds]).p99,
            "watcher_p50_ms": over_rounds([seen for _, seen in rounds]).p50,
            "watcher_p99_ms": over_rounds([seen for _, seen in rounds]).p99,
            "watcher_over_answer": ratio([one for _, one in rounds], [one for one, _ in rounds]),
        }
        for watchers, rounds in changes.items()
    ]


# The end --------------------------------------------------------------------------------------------------------------


async def _end(built: World) -> float:
    """Milliseconds from the answer to who takes the role away until the stream of who watched has ended. The role comes back."""
    staff, admin = built.stage.people["A staff"], built.stage.people["A admin"]
    office = built.stage.ids["A office"]
    async with _watching(built) as live:
        await _sent(built)
        await anext(live)
        over = asyncio.create_task(_over(live))
        await _role(admin, "revokeRole", staff.user_id, office)
        begun = time.perf_counter()
        async with asyncio.timeout(30):
            ended = await over
    await _role(admin, "grantRole", staff.user_id, office)
    await staff.sign_in()
    return max(0.0, 1000 * (ended - begun))


async def _over(live: AsyncGenerator[dict[str, Any]]) -> float:
    async for _ in live:
        pass
    return time.perf_counter()


async def _role(admin: Any, verb: str, user_id: str, office: str) -> None:  # noqa: ANN401 - a Person
    query = "query($id: ID!) { user(id: $id) { version } }"
    version = (await admin.ask(query, id=user_id))["user"]["version"]
    given = {"userId": user_id, "expectedVersion": version, "officeId": office}
    await admin.do(verb, given | {"role": "OFFICE_STAFF"}, "__typename")
