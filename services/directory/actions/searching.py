"""Who would suit a referral (R28): what is asked is made plain, listings are looked for farther and farther away, then ranked."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.db import Connection
from kit.errors import Invalid
from services.directory import policy, store
from services.directory.actions.peers import Call
from services.directory.domain import days, geography, places, ranking
from services.directory.domain.factors import PlanCertainty
from services.directory.domain.listings import Wanted
from services.directory.domain.nouns import Place, PlanId, Point, Specialty
from services.directory.domain.ranking import Receiver, Widening

MEMORY = timedelta(days=90)
"""How far back answers count."""

HERE = ZoneInfo("America/New_York")
"""Where today is looked up when no office is named."""

WEST = timedelta(hours=12)
"""So long it is still the day before somewhere: who asks there for today does not ask for the past."""

MOST_PLANS = 10


@dataclass(frozen=True, slots=True)
class Search:
    """What a sender is looking for, as it is asked: a specialty, a name, or both; one place at most."""

    specialty_code: str | None
    name: str
    plan_ids: tuple[UUID, ...]
    near: Point | None
    office_id: UUID | None
    postal_code: str | None
    city: str
    region: str
    on: date | None
    language: str | None
    only_accepting: bool
    include_groups: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Receivers, best first, for that day; and how the search was widened, if it had to be.

    `insurance_unknown`: a plan was asked for, and insurance has told of no plan at any of those found. `place_unknown`: the postal
    code is not in the table, so nobody's distance is known.
    """

    receivers: tuple[Receiver, ...]
    on: date
    widening: Widening | None
    insurance_unknown: bool
    insurance_heard_at: datetime | None
    place_unknown: bool


async def suggest_receivers(call: Call, search: Search, first: int) -> Found:
    """Receivers for a specialty or of a name, ranked and explained (R28). With no match nearby the search is widened, and says so."""
    policy.permit_reading(call.viewer)
    async with call.db.reading() as tx:
        specialty = await _specialty(tx, search.specialty_code)
        wanted = await _wanted(tx, call, search)
        receivers, widening = await _widening(tx, wanted, specialty, first)
        heard_at = await store.receivers.heard_of_plans(tx)
    silent = all(one.plan is PlanCertainty.UNKNOWN for one in receivers)
    return Found(
        receivers=tuple(receivers[:first]),
        on=wanted.on,
        widening=widening,
        insurance_unknown=bool(wanted.plan_ids) and (heard_at is None or silent),
        insurance_heard_at=heard_at,
        place_unknown=search.postal_code is not None and wanted.place.point is None,
    )


async def _widening(
    tx: Connection, wanted: Wanted, specialty: Specialty | None, first: int
) -> tuple[list[Receiver], Widening | None]:
    """Those nearby; else the nearest; else those of a related specialty; else nobody."""
    found = await _farther(tx, wanted, first)
    if close := ranking.nearby(found):
        return close, None
    if found:
        return found, Widening.FARTHER
    related = await store.catalogue.related(tx, specialty) if specialty is not None else []
    if related:
        found = await _farther(tx, replace(wanted, codes=tuple(related)), first)
        if found:
            return ranking.nearby(found) or found, Widening.RELATED_SPECIALTY
    return [], Widening.NOTHING_FOUND


async def _farther(tx: Connection, wanted: Wanted, first: int) -> list[Receiver]:
    """Those in the smallest ring that has anybody; without a point there is one ring."""
    rings = geography.RINGS_KM if wanted.place.point is not None else (None,)
    for km in rings:
        listings = await store.receivers.search(tx, wanted, km, first)
        if listings:
            return ranking.ranked(listings, wanted)
    return []


async def _specialty(tx: Connection, code: str | None) -> Specialty | None:
    if code is None:
        return None
    found = (await store.catalogue.specialties_by_code(tx, [code])).get(code)
    if found is None:
        raise Invalid(
            "There is no such specialty.",
            code="UNKNOWN_SPECIALTY",
            field="specialtyCode",
            remedy="Choose from the query specialties.",
        )
    return found


async def _wanted(tx: Connection, call: Call, search: Search) -> Wanted:
    _require_something(search)
    place, today = await _place(tx, call, search)
    on = search.on or today
    if on < min(today, (call.clock.now() - WEST).date()):
        raise Invalid(
            "The day of the visit is past.",
            code="DATE_IN_PAST",
            field="on",
            remedy="Leave it out for today.",
        )
    return Wanted(
        codes=(search.specialty_code,) if search.specialty_code else (),
        plan_ids=frozenset(PlanId(one) for one in search.plan_ids),
        place=place,
        on=on,
        today=today,
        name=search.name,
        language=search.language,
        only_accepting=search.only_accepting,
        include_groups=search.include_groups,
    )


def _require_something(search: Search) -> None:
    if search.specialty_code is None and not search.name:
        raise Invalid(
            "Say for which specialty, or for whom by name.",
            code="NOTHING_ASKED",
            field="specialtyCode",
            remedy="Give specialtyCode, name, or both.",
        )
    if len(search.plan_ids) > MOST_PLANS:
        raise Invalid(f"Give at most {MOST_PLANS} plans.", field="planIds")


async def _place(tx: Connection, call: Call, search: Search) -> tuple[Place, date]:
    """The place, as far as it is known; and today, at the office when it is one."""
    today = call.clock.today(HERE)
    given = Place(None, search.city, search.region)
    if search.near is not None:
        return replace(given, point=places.clean_point(search.near)), today
    if search.postal_code is not None:
        found = await store.zips.find(tx, places.clean_postal_code(search.postal_code))
        if found is None:
            return given, today
        point = Point(found.latitude, found.longitude)
        return Place(point, given.city or found.city, given.region or found.region), today
    if search.office_id is not None:
        office = (await store.offices.by_ids(tx, [search.office_id])).get(search.office_id)
        if office is None or not policy.may_see_office(call.viewer, office):
            raise policy.unknown("office", "officeId")
        return office.place, days.day_at(office, call.clock.now())
    return given, today


async def recount_answers(call: Call) -> None:
    """Let answers that are older than 90 days pass out of the count."""
    async with call.db.transaction() as tx:
        await store.answering.recount(tx, call.clock.now() - MEMORY)
