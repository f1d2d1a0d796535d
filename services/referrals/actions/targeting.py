"""Who could take what a leaving provider has open: others of the same office, of the specialty, with what is known of the plan."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from kit.db import Connection
from kit.errors import Refusal
from services.referrals import domain
from services.referrals.actions.cases import ItemSeen
from services.referrals.actions.peers import Alternative, Call, ask_accepting, ask_alternatives
from services.referrals.actions.reasons import today
from services.referrals.domain import (
    Accepting,
    Candidate,
    OfficeId,
    OrganizationId,
    PlanId,
    ProviderId,
    Side,
    SuggestedTarget,
)
from services.referrals.store import people

Door: TypeAlias = tuple[ProviderId, OfficeId]
"""Who leaves, and the office whose others are asked for."""


async def targets(
    call: Call, asked: Sequence[ItemSeen]
) -> list[tuple[SuggestedTarget, ...] | None]:
    """For each item who could take it, best first; None where the viewer does not work with it, or directory is away."""
    worked = [one for one in asked if one.referral is not None]
    doors = dict.fromkeys(_door(one) for one in worked)
    candidates = {door: await _candidates(call, *door) for door in doors}
    accepting = await _accepting(call, worked, candidates)
    return [
        None
        if one.referral is None or (able := candidates[_door(one)]) is None
        else domain.targets(one.item, able, accepting)
        for one in asked
    ]


def _door(one: ItemSeen) -> Door:
    return one.case.provider_id, one.item.office_id


async def _candidates(
    call: Call, provider_id: ProviderId, office_id: OfficeId
) -> tuple[Candidate, ...] | None:
    """The others of the office, as directory names them to a sender whose receiver is leaving; None: directory is away."""
    try:
        others = await ask_alternatives(call, provider_id, office_id)
    except Refusal:
        return None
    async with call.db.reading() as tx:
        return tuple([await _candidate(tx, call, one, provider_id) for one in others])


async def _candidate(
    tx: Connection, call: Call, one: Alternative, leaving: ProviderId
) -> Candidate:
    if one.provider_id is not None:
        members = frozenset({one.provider_id})
    elif one.group_id is not None:
        organization_id = OrganizationId(call.viewer.require_organization())
        members = frozenset(await people.members_of(tx, organization_id, one.group_id))
    return Candidate(
        one.office_id,
        one.provider_id,
        one.group_id,
        one.name,
        one.specialty_codes,
        members - {leaving},
    )


async def _accepting(
    call: Call,
    worked: Sequence[ItemSeen],
    candidates: Mapping[Door, tuple[Candidate, ...] | None],
) -> Accepting:
    """Which of the candidates accept the plans of what was received, today."""
    async with call.db.reading() as tx:
        day = await today(tx, call)
    wanted = dict[tuple[OfficeId, PlanId], set[ProviderId]]()
    for one in worked:
        if one.item.side is Side.RECEIVING:
            able = candidates[_door(one)] or ()
            members = {member for each in able for member in each.members}
            for plan in one.item.plans:
                wanted.setdefault((one.item.office_id, plan), set()).update(members)
    return await ask_accepting(call, wanted, day)
