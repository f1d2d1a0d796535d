"""Reading what offices and providers did in a month."""

from datetime import date
from zoneinfo import ZoneInfo

from kit.errors import Unavailable
from kit.service import Call
from services.reporting import policy, store
from services.reporting.actions.peers import Peers
from services.reporting.domain import DeedKind, OrganizationId
from services.reporting.domain.performance import Month, Performance, Told


async def performance(call: Call[Peers], day: date) -> Performance:
    """The month a day is in, as far as it has come: of the whole organization, or of an office admin's own offices (R31).

    Refuses a month that has not begun. Small cells are told only to who works where the patients are.
    """
    organization_id = OrganizationId(call.viewer.require_organization())
    offices = policy.readable_offices(call.viewer)
    at = None if offices is None else sorted(offices)
    now = call.clock.now()
    async with call.db.reading() as tx:
        organization = await store.organizations.organization(tx, organization_id)
        if organization.time_zone is None:
            raise Unavailable(
                "Reporting has not heard of this organization yet.", remedy="Try again in a moment."
            )
        zone = ZoneInfo(organization.time_zone)
        month = Month.readable(day, now.astimezone(zone).date())
        as_of = min(now, month.end(zone))
        span = (month.start(zone), as_of)
        done = await store.deeds.done(tx, organization_id, at, span)
        waited = await store.deeds.waited(tx, organization_id, at, span)
    told = Told(done, all_told=policy.sees_patients(call.viewer, offices))
    by_office, total = told.table(lambda one: one.office_id, waited.offices, waited.total)
    by_provider, _ = told.table(lambda one: one.provider_id, waited.providers, waited.total)
    plans, leakage = told.leakage()
    return Performance(
        month=month,
        as_of=as_of,
        data_as_of=organization.data_as_of,
        all_told=told.all_told,
        total=total,
        offices=by_office,
        providers=by_provider,
        declines=told.reasons(DeedKind.DECLINED),
        no_shows=told.reasons(DeedKind.NO_SHOW),
        leakage=leakage,
        plans=plans,
        outside=told.reasons(DeedKind.SENT),
    )
