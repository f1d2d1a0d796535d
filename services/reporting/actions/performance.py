"""Reading what offices and providers did in a month."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from kit.errors import Invalid, Unavailable
from kit.service import Call
from services.reporting import policy, store
from services.reporting.actions.naming import names
from services.reporting.actions.peers import Peers
from services.reporting.domain import DeedKind, ExportFormat, OrganizationId
from services.reporting.domain.monthly import month_csv, month_pdf, month_xlsx
from services.reporting.domain.naming import Names
from services.reporting.domain.performance import Month, Performance, Told, Waited


async def performance(call: Call[Peers], day: date) -> Performance:
    """The month a day is in, as far as it has come: of the whole organization, of an office admin's own offices, or of a provider's
    own referrals (R31).

    Refuses a month that has not begun. Small cells are told only to who works where the patients are.
    """
    organization_id = OrganizationId(call.viewer.require_organization())
    whose = policy.measured(call.viewer)
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
        done = await store.deeds.done(tx, organization_id, whose, span)
        waited = await store.deeds.waited(tx, organization_id, whose, span)
    told = Told(done, policy.sees_patients(call.viewer, whose), whose.provider_id is None)
    return _put_together(told, waited, month, (as_of, organization.data_as_of))


def _put_together(
    told: Told, waited: Waited, month: Month, known: tuple[datetime, datetime | None]
) -> Performance:
    by_office, by_provider, total = told.tables(waited)
    plans, leakage = told.leakage()
    return Performance(
        month=month,
        as_of=known[0],
        data_as_of=known[1],
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


# Files ----------------------------------------------------------------------------------------------------------------


async def month_file(call: Call[Peers], day: date, form: ExportFormat) -> tuple[str, str | bytes]:
    """A month as a file: its name and what is in it. Refuses NO_SUCH_FORMAT for JSON: GraphQL tells the same."""
    write = _WRITERS.get(form)
    if write is None:
        raise Invalid("A month is had as csv, xlsx or pdf.", code="NO_SUCH_FORMAT")
    told = await performance(call, day)
    named = await names(call, told.providers, told.plans)
    return f"performance-{told.month.first:%Y-%m}.{form.value.lower()}", write(told, named)


_WRITERS: Mapping[ExportFormat, Callable[[Performance, Names], str | bytes]] = {
    ExportFormat.CSV: month_csv,
    ExportFormat.XLSX: month_xlsx,
    ExportFormat.PDF: month_pdf,
}
