"""The search behind suggestReceivers: rows of `listings`, the nearest and surest first, as far as an index tells (R28)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from kit import db
from kit.db import Connection, Row
from services.directory.domain.factors import (
    CITY_SCORE,
    HALF_SCORE_KM,
    REGION_SCORE,
    STALE_DAYS,
    WEIGHTS,
    FactorName,
)
from services.directory.domain.geography import EARTH_KM, cells
from services.directory.domain.listings import Answers, Listing, Practice, Wanted
from services.directory.domain.nouns import Place, PlanId, Point, ProviderId

CONSIDERED: Final = 100
"""So many are ranked, or twice as many as are asked for: those with the plan first, then those with the best of what an index tells,
distance above all. More only while too few of those who have ever had the plan accept it on the day."""

MOST_NAMES = 5000
"""So many who have a name like the one asked for are looked at, the most alike first."""

LIKE_ENOUGH = 0.45
"""How much of the letters (by threes) of the name asked for must be in the name found."""

_KM = f"""{2 * EARTH_KM} * asin(least(1, sqrt(power(sin(radians(l.latitude - $4) / 2), 2)
        + cos(radians($4)) * cos(radians(l.latitude)) * power(sin(radians(l.longitude - $5) / 2), 2))))"""

_LOOKED_AT = f"""l.id, l.receiver_id, l.office_id, l.city, l.region, {_KM} AS km,
        CASE WHEN $13::integer[] = '{{}}' OR l.plan_keys IS NULL OR l.plan_keys && $13 THEN 2
            WHEN l.plan_keys = '{{}}' THEN 1 ELSE 0 END AS sure,
        {WEIGHTS[FactorName.NEW_PATIENTS]} * l.accepting_new_patients::integer
            + {WEIGHTS[FactorName.FRESHNESS]} * greatest(0, 1 - ($12::date - l.changed_on) / {STALE_DAYS}) AS merit"""

_FITS = """l.effective_from <= $8 AND (l.effective_until IS NULL OR l.effective_until > $8)
        AND ($9 OR l.provider_id IS NOT NULL) AND ($10::text IS NULL OR $10 = ANY(l.languages))
        AND (NOT $11 OR l.accepting_new_patients)
        AND ($4::float8 IS NOT NULL OR $7::text = '' OR l.region = $7)"""

_BEST = f"""
weighed AS (
    SELECT *, merit + {WEIGHTS[FactorName.DISTANCE]} * CASE WHEN km IS NOT NULL THEN 1 / (1 + km / {HALF_SCORE_KM})
        WHEN $7 = '' OR region <> $7 THEN 0 WHEN lower(city) = lower($6) THEN {CITY_SCORE} ELSE {REGION_SCORE} END AS worth
    FROM found WHERE km IS NULL OR $3::float8 IS NULL OR km <= $3
),
best AS (SELECT * FROM weighed ORDER BY likeness DESC, sure DESC, worth DESC, receiver_id, office_id LIMIT $14)
SELECT l.provider_id, l.group_id, l.office_id, l.organization_id, l.name, l.latitude, l.longitude, l.city, l.region, l.members,
    best.sure, best.likeness, a.answered, a.median_hours
FROM best JOIN listings l USING (id)
LEFT JOIN answering a ON a.receiver_id = l.receiver_id AND a.office_id = l.office_id
ORDER BY best.likeness DESC, best.sure DESC, best.worth DESC, l.receiver_id, l.office_id"""  # noqa: S608 - of our own constants

_NEAR = f"""
WITH found AS (
    SELECT listed.* FROM unnest($15::text[]) AS asked (code)
    CROSS JOIN unnest($1::integer[], $2::integer[]) AS span (first, last)
    CROSS JOIN LATERAL (
        SELECT 1.0::float8 AS likeness, {_LOOKED_AT} FROM listings l
        WHERE l.code = asked.code AND l.cell BETWEEN span.first AND span.last AND {_FITS}
        OFFSET 0 -- a fence for the planner: each span is looked up in the index, whatever it thinks of their number
    ) AS listed
), {_BEST}"""  # noqa: S608 - of our own constants

_NAMED = f"""
WITH named AS MATERIALIZED (
    SELECT receiver_id, office_id, word_similarity($1, name) AS likeness FROM listed_names WHERE $1 <% name
    ORDER BY likeness DESC, receiver_id, office_id LIMIT $2
),
found AS (
    SELECT named.likeness, {_LOOKED_AT}
    FROM named JOIN listings l USING (receiver_id, office_id)
    WHERE ($15::text[] = '{{}}' OR l.code = ANY($15)) AND {_FITS}
), {_BEST}"""  # noqa: S608 - of our own constants


async def search(tx: Connection, wanted: Wanted, km: float | None, enough: int) -> list[Listing]:
    """Who is listed for what is wanted on the day, within so many kilometres (None: wherever); the best known ones."""  # any-organization: listings are public in the network
    limit = max(CONSIDERED, 2 * enough)
    if wanted.name:
        like = "SELECT set_config('pg_trgm.word_similarity_threshold', $1, true)"
        await tx.execute(like, str(LIKE_ENOUGH))
    while True:
        sql, args = question(wanted, km, limit)
        rows = await tx.fetch(sql, *args)
        listings = [one for row in rows if (one := _listing(row, wanted)) is not None]
        sure = sum(any(each.accepted for each in one.practices) for one in listings)
        over = len(rows) < limit or not wanted.plan_ids or sure >= enough
        if over or rows[-1]["sure"] < _MENTIONS:
            return listings
        limit *= 4


_MENTIONS = 2
"""The plan is mentioned in the listing, on whatever days."""


def question(wanted: Wanted, km: float | None, limit: int) -> tuple[str, tuple[object, ...]]:
    """The statement that answers it, and its arguments."""
    place = wanted.place
    args = (
        None if place.point is None else km,
        place.point.latitude if place.point else None,
        place.point.longitude if place.point else None,
        place.city.strip(),
        place.region,
        wanted.on,
        wanted.include_groups,
        wanted.language,
        wanted.only_accepting,
        wanted.today,
        [_key(one) for one in sorted(wanted.plan_ids)],
        limit,
        list(wanted.codes),
    )
    if wanted.name:
        return _NAMED, (wanted.name, MOST_NAMES, *args)
    spans = cells(place, km)
    return _NEAR, ([one for one, _ in spans], [one for _, one in spans], *args)


def _key(plan_id: PlanId) -> int:
    """As `plan_key` of the database has it."""
    return int.from_bytes(plan_id.bytes[-4:], "big", signed=True)


def _listing(row: Row, wanted: Wanted) -> Listing | None:
    """None when nobody is there on the day: the days of a group's listing are those of all its members together."""
    on, asked = wanted.on.isoformat(), {str(plan_id): plan_id for plan_id in wanted.plan_ids}
    practices = tuple(_practice(row, one, on, asked) for one in row["members"] if _covers(one, on))
    if not practices:
        return None
    point = None
    if row["latitude"] is not None:
        point = Point(row["latitude"], row["longitude"])
    return Listing(
        provider_id=row["provider_id"],
        group_id=row["group_id"],
        office_id=row["office_id"],
        organization_id=row["organization_id"],
        name=row["name"],
        at=Place(point, row["city"], row["region"]),
        practices=practices,
        answers=Answers(row["answered"], row["median_hours"]) if row["answered"] else None,
        likeness=row["likeness"] if wanted.name else None,
    )


def _covers(one: Mapping[str, Any], on: str) -> bool:
    """Half-open days, as ISO writes them."""
    return bool(one["from"] <= on) and (one["until"] is None or bool(one["until"] > on))


def _practice(row: Row, one: Mapping[str, Any], on: str, asked: Mapping[str, PlanId]) -> Practice:
    plans = [plan for plan in one["plans"] if _covers(plan, on)]
    sure = [plan for plan in plans if plan["plan"] in asked]
    days = [plan["verified"] for plan in sure]
    return Practice(
        provider_id=ProviderId(UUID(one["id"])),
        office_id=row["office_id"],
        organization_id=row["organization_id"],
        name=row["name"],
        accepting_new_patients=one["accepting"],
        changed_on=date.fromisoformat(one["changed"]),
        plans_listed=len(plans),
        accepted=frozenset(asked[plan["plan"]] for plan in sure),
        verified_on=date.fromisoformat(min(days)) if days and None not in days else None,
    )


async def heard_of_plans(tx: Connection) -> datetime | None:
    """When insurance last told of a participation; None: never."""  # any-organization: about insurance, not about anybody
    found: datetime | None = await db.value(tx, "SELECT at FROM insurance_heard")
    return found


async def siblings(
    tx: Connection, office_id: UUID, codes: Iterable[str], now: datetime
) -> list[Practice]:
    """Approved providers of the office now with one of the specialties, whatever plan: who could receive instead."""  # any-organization: by office id
    return await db.many(
        tx,
        Practice,
        """SELECT DISTINCT p.id AS provider_id, o.id AS office_id, o.organization_id,
                p.first_name || ' ' || p.last_name AS name, l.accepting_new_patients,
                (l.changed_at AT TIME ZONE 'UTC')::date AS changed_on,
                ARRAY(SELECT c.code FROM provider_specialties c WHERE c.provider_id = p.id) AS specialty_codes
            FROM offices o JOIN placements l ON l.office_id = o.id JOIN providers p ON p.id = l.provider_id
            JOIN provider_specialties s ON s.provider_id = p.id
            WHERE o.id = $1 AND o.state = 'LIVE' AND p.state = 'APPROVED' AND s.code = ANY($2)
                AND l.effective_from <= ($3 AT TIME ZONE o.time_zone)::date
                AND (l.effective_until IS NULL OR l.effective_until > ($3 AT TIME ZONE o.time_zone)::date)
            ORDER BY p.id""",
        office_id,
        list(codes),
        now,
    )
