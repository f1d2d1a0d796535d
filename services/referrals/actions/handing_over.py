"""A group goes: what is open with it goes on with its providers (R24)."""

from collections.abc import Mapping

from kit.db import Connection
from kit.errors import Conflict
from services.referrals import domain, policy
from services.referrals.actions.keeping import keep
from services.referrals.actions.peers import Call
from services.referrals.actions.telling import Change
from services.referrals.domain import (
    GroupId,
    Happened,
    OrganizationId,
    Party,
    ProviderId,
    Referral,
    ReferralId,
    Status,
    Subject,
)
from services.referrals.store import fences
from services.referrals.store import referrals as store


async def hand_over(
    call: Call,
    organization_id: OrganizationId,
    group_id: GroupId,
    to: Mapping[ReferralId, ProviderId],
) -> None:
    """Give each of these referrals to its provider, all of them or none. One that the group no longer is in is left alone, so that
    whoever was interrupted may ask again. Refuses RECEIVER_LEAVING for a provider around whom a fence stands."""
    held = set[Party]()
    async with call.db.transaction() as tx:
        locked = await store.lock_all(tx, list(to))
        for referral_id in sorted(to):
            referral = locked.get(referral_id)
            if referral is None or organization_id not in _organizations(referral):
                raise policy.unknown_referral()
            after = domain.handed_over(referral, group_id, to[referral_id], call.clock.now())
            if after is None:
                continue
            taker = Party(organization_id, after.sending_office_id, to[referral_id])
            if taker not in held:
                await _hold_off_fence(tx, taker)
                held.add(taker)
            await keep(tx, call, Change(_happened(referral, group_id), referral, after))


def _organizations(referral: Referral) -> frozenset[OrganizationId | None]:
    return frozenset({referral.sending_organization_id, referral.receiving_organization_id})


def _happened(referral: Referral, group_id: GroupId) -> Happened:
    if referral.receiving_group_id == group_id and referral.sent_at is not None:
        return Happened.REASSIGNED
    return Happened.DRAFT_CHANGED if referral.status is Status.DRAFT else Happened.SENDER_CHANGED


async def _hold_off_fence(tx: Connection, taker: Party) -> None:
    """None is raised around the taker until the transaction ends, so once is enough."""
    await fences.share(tx, [taker])
    if Subject.PROVIDER in await fences.around(tx, taker):
        raise Conflict(
            "One of the providers is leaving and takes nothing new.",
            code="RECEIVER_LEAVING",
            field="redistribution",
            remedy="Choose another member of the group.",
            provider_id=str(taker.provider_id),
        )
