"""The case of a provider who leaves: opened and closed by directory's facts, followed by a job, worked through with the usual
verbs (R12, R13). Directory's fence stays the truth of when the provider can go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from google.protobuf.message import Message

from kit.db import Connection
from kit.each import each
from kit.ids import new_id
from kit.outbox import record
from proto.referrals.v1 import events_pb2 as facts
from services.referrals import policy
from services.referrals.actions.keeping import access_of
from services.referrals.actions.looking import see_in
from services.referrals.actions.peers import Call
from services.referrals.domain import (
    Case,
    CaseAction,
    CaseEnd,
    CaseId,
    CaseItem,
    CaseState,
    Happened,
    OfficeId,
    OrganizationId,
    Party,
    ProviderId,
    ReferralId,
    Tally,
)
from services.referrals.policy import Seen
from services.referrals.store import cases as store
from services.referrals.store import news

MOST_ANNOUNCED: Final = 500
"""Items of a new case that are told to watched queues one by one; of more, each queue shows them when it is read again."""


@dataclass(frozen=True, slots=True)
class CaseSeen:
    """A case as one viewer sees it now."""

    case: Case
    state: CaseState
    tallies: tuple[Tally, ...]
    without_outcome: int
    allowed: tuple[CaseAction, ...]

    @property
    def total(self) -> int:
        """How many items it has had so far."""
        return sum(one.total for one in self.tallies)

    @property
    def remaining(self) -> int:
        """How many of them are open."""
        return sum(one.remaining for one in self.tallies)


@dataclass(frozen=True, slots=True)
class ItemSeen:
    """An open item, and the referral where the viewer works with it."""

    case: Case
    item: CaseItem
    referral: Seen | None


# What directory's facts and the job do ---------------------------------------------------------------------------------


async def open_case(
    tx: Connection, call: Call, whose: tuple[OrganizationId, ProviderId], at: datetime
) -> None:
    """The provider starts to leave: everything open is in the case from now on. An open case goes on."""
    case = Case(CaseId(new_id()), *whose, opened_at=at)
    if await store.open_case(tx, case):
        await store.remember(tx, case, at)
        items = await store.remaining(tx, case)
        await _show_in_queues(tx, case)
        fact = facts.OffboardingCaseOpened(
            case_id=str(case.id), provider_id=str(case.provider_id), items=items
        )
        await _tell(tx, call, case, fact, at)


async def _show_in_queues(tx: Connection, case: Case) -> None:
    """Whoever watches a queue sees what the case has brought into it, if it is not more than anybody could follow."""
    for item in await store.items(tx, case, None, None, (None, MOST_ANNOUNCED)):
        managing = Party(case.organization_id, item.office_id, group_id=item.group_id)
        ends = frozenset({managing})
        await news.announce(tx, item.referral_id, Happened.OFFBOARDING, ends)


async def close_case(
    tx: Connection, call: Call, whose: tuple[OrganizationId, ProviderId], end: CaseEnd, at: datetime
) -> None:
    """The provider is removed (or merged into another record), or kept after all. Harmless without an open case."""
    case = await store.lock_open(tx, *whose)
    if case is not None:
        closed = replace(case, closed_at=at, closed_as=end)
        await store.put_state(tx, closed)
        await _tell(tx, call, closed, _fact(facts.OffboardingCaseClosed, closed, ended=end), at)


async def follow(call: Call) -> None:
    """What came into the open cases is written down, and it is said which have nothing open any more, or again."""
    async with call.db.reading() as tx:
        known = await store.all_open(tx)

    async def follow_one(one: Case) -> None:
        async with call.db.transaction() as tx:
            case = await store.lock_open(tx, one.organization_id, one.provider_id)
            if case is not None:
                await _follow(tx, call, case)

    await each(known, follow_one)


async def _follow(tx: Connection, call: Call, case: Case) -> None:
    now = call.clock.now()
    await store.remember(tx, case, now)
    ready = await store.remaining(tx, case) == 0
    if ready == (case.ready_at is not None):
        return
    await store.put_state(tx, replace(case, ready_at=now if ready else None))
    kind = facts.OffboardingCaseReady if ready else facts.OffboardingCaseReopened
    await _tell(tx, call, case, _fact(kind, case), now)


def _fact(kind: Callable[..., Message], case: Case, **more: str) -> Message:
    return kind(case_id=str(case.id), provider_id=str(case.provider_id), **more)


async def _tell(tx: Connection, call: Call, case: Case, fact: Message, at: datetime) -> None:
    await record(
        tx,
        fact,
        organization_id=case.organization_id,
        aggregate="offboarding_case",
        aggregate_id=case.id,
        at=at,
        by=call.viewer,
    )


# What may be looked at -------------------------------------------------------------------------------------------------


async def of_providers(call: Call, ids: Sequence[ProviderId]) -> list[CaseSeen | None]:
    """The latest case of each provider in the viewer's organization; None: it has none, or the viewer may not know."""
    if not call.viewer.is_user or call.viewer.organization_id is None:
        return [None] * len(ids)
    organization_id = OrganizationId(call.viewer.organization_id)
    async with call.db.reading() as tx:
        if not policy.may_count(call.viewer, await access_of(tx, call, [])):
            return [None] * len(ids)
        found = await store.of_providers(tx, organization_id, ids)
        seen = {one: await _seen(tx, call, case) for one, case in found.items()}
    return [seen.get(one) for one in ids]


async def of_provider(call: Call, provider_id: ProviderId) -> CaseSeen | None:
    """The provider's latest case; refused where the viewer may not know of open work."""
    async with call.db.reading() as tx:
        policy.permit_counting(call.viewer, await access_of(tx, call, []))
    return (await of_providers(call, [provider_id]))[0]


async def page(call: Call, *, closed: bool, part: tuple[CaseId | None, int]) -> list[CaseSeen]:
    """The organization's cases, newest first."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        policy.permit_counting(call.viewer, await access_of(tx, call, []))
        rows = await store.page(tx, organization_id, closed=closed, part=part)
        return [await _seen(tx, call, case) for case in rows]


async def _seen(tx: Connection, call: Call, case: Case) -> CaseSeen:
    tallies = await store.tally(tx, case)
    state = case.state(sum(one.remaining for one in tallies))
    unreported = await store.without_outcome(tx, case)
    allowed = policy.case_actions(call.viewer, state)
    return CaseSeen(case, state, tuple(tallies), unreported, allowed)


async def items(
    call: Call, case: Case, office_id: OfficeId | None, part: tuple[ReferralId | None, int]
) -> list[ItemSeen]:
    """What is open, oldest first: all of it for client admins, for others what their offices and groups manage."""
    async with call.db.reading() as tx:
        access = await access_of(tx, call, [])
        policy.permit_counting(call.viewer, access)
        if case.closed_at is not None:
            return []
        found = await store.items(tx, case, policy.cases_of(call.viewer, access), office_id, part)
        views = await see_in(tx, call, [one.referral_id for one in found])
    return [ItemSeen(case, one, _worked(views.get(one.referral_id))) for one in found]


def _worked(view: Seen | None) -> Seen | None:
    """The referral, for who works with it."""
    return view if view is not None and view.sides else None
