"""Reading how well accounts, coverage and what is listed are kept."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from kit.service import Call
from services.reporting import policy, store
from services.reporting.actions.peers import Peers
from services.reporting.domain import OrganizationId
from services.reporting.domain.hygiene import AccountHygiene, Campaign, DirectoryAccuracy, ages

CAMPAIGNS_FOR = timedelta(days=400)
"""How long a review that is over is told of: last year's beside this year's."""


async def account_hygiene(call: Call[Peers]) -> AccountHygiene:
    """Unconfirmed and inactive accounts and offices without coverage: of an office admin's own offices, or all. Who was
    deactivated belongs to no office any more, and is told to who reads everything."""
    organization_id = OrganizationId(call.viewer.require_organization())
    offices = policy.readable_offices(call.viewer)
    at = None if offices is None else sorted(offices)
    async with call.db.reading() as tx:
        organization = await store.organizations.organization(tx, organization_id)
        return AccountHygiene(
            data_as_of=organization.data_as_of,
            unconfirmed=await store.hygiene.unconfirmed(tx, organization_id, at),
            inactive=await store.hygiene.inactive(tx, organization_id) if at is None else (),
            uncovered=await store.hygiene.uncovered(tx, organization_id, at),
        )


async def directory_accuracy(call: Call[Peers]) -> DirectoryAccuracy:
    """The ages of profiles and of what is listed of plans, today (R29)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    offices = policy.permit_insurance_reports(call.viewer)
    at = None if offices is None else sorted(offices)
    now = call.clock.now()
    async with call.db.reading() as tx:
        organization = await store.organizations.organization(tx, organization_id)
        today = now.astimezone(ZoneInfo(organization.time_zone or "UTC")).date()
        listed = await store.hygiene.participations(tx, organization_id, at, today)
        profiles = await store.hygiene.profiles(tx, organization_id, at, now, today)
    return DirectoryAccuracy(
        on=today,
        data_as_of=organization.data_as_of,
        profiles=ages(profiles),
        participations=ages([count for counts in listed.values() for count in counts]),
        offices={office_id: ages(counts) for office_id, counts in listed.items()},
    )


async def insurance_reviews(call: Call[Peers]) -> list[Campaign]:
    """The reviews of what is accepted where, open or lately over (R29); they are of the whole organization."""
    organization_id = OrganizationId(call.viewer.require_organization())
    policy.permit_insurance_reviews(call.viewer)
    async with call.db.reading() as tx:
        since = call.clock.now() - CAMPAIGNS_FOR
        return await store.hygiene.campaigns(tx, organization_id, since)
