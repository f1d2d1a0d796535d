"""The tally of a group's week, in SQL: what `domain/tally.py` says, read from standings and moments."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from kit.db import Connection
from services.reporting.domain import (
    BACKLOG,
    COUNTED,
    DECISION_TARGET,
    EXPLAINED,
    PENDING_TARGET,
    WAITS,
    Cell,
    Counted,
    GroupId,
    MedianHours,
    Number,
    OrganizationId,
    Wait,
    digest,
)

_PLACES = "sending_office_id, sending_group_id, office_id, provider_id"

_CELLS = f"""
WITH happened AS (
    SELECT * FROM moments WHERE organization_id = $1 AND group_id = ANY($2) AND at >= $3 AND at < $4
), closing AS (
    SELECT holder AS group_id, referral_id, status, worked_at, $4 - since AS age, {_PLACES} FROM standings
    WHERE organization_id = $1 AND holder = ANY($2) AND at < $4 AND until >= $4
), ends AS (
    SELECT h.group_id, h.movement, h.referral_id, h.outcome, s.loop_closed,
        s.appointment AND s.status = 'FOLLOW_UP' AND s.holder = h.group_id AS waiting,
        h.sending_office_id, h.sending_group_id, h.office_id, h.provider_id
    FROM happened h
    JOIN standings s ON s.organization_id = $1 AND s.referral_id = h.referral_id AND s.at < $4 AND s.until >= $4
    WHERE h.movement IN ('COMPLETED', 'APPOINTMENT_PASSED')
), entries AS MATERIALIZED (
    SELECT group_id, movement::text COLLATE "C" AS label, referral_id, reason_code COLLATE "C" AS reason_code, {_PLACES} FROM happened
    UNION ALL
    SELECT holder, 'opening', referral_id, NULL, {_PLACES} FROM standings
    WHERE organization_id = $1 AND holder = ANY($2) AND at < $3 AND until >= $3
    UNION ALL
    SELECT c.group_id, a.label, c.referral_id, NULL, {_PLACES} FROM closing c
    CROSS JOIN LATERAL (VALUES
        ('closing'),
        (($6::text[])[1 + width_bucket(c.age, $5::interval[])]),
        (CASE WHEN (c.status = 'PENDING' AND c.age > $7::interval)
            OR (c.status IN ('PENDING', 'IN_PROGRESS') AND c.age > $8::interval) THEN 'overdue' END),
        (CASE WHEN c.worked_at < $3 THEN 'unworked' END)
    ) AS a (label)
    WHERE a.label IS NOT NULL
    UNION ALL
    SELECT e.group_id, a.label, e.referral_id, NULL, {_PLACES} FROM ends e
    CROSS JOIN LATERAL (VALUES
        (CASE WHEN e.movement = 'COMPLETED' AND (e.loop_closed OR e.outcome = 'SEEN') THEN 'completed_seen' END),
        (CASE WHEN e.movement = 'COMPLETED' AND e.loop_closed THEN 'loops_closed' END),
        (CASE WHEN e.movement = 'APPOINTMENT_PASSED' AND e.waiting THEN 'appointments_over' END)
    ) AS a (label)
    WHERE a.label IS NOT NULL
)
SELECT group_id, label, reason_code, array_agg(referral_id) AS ids, NULL::bigint AS referrals,
    NULL::uuid AS sending_office_id, NULL::uuid AS sending_group_id, NULL::uuid AS office_id, NULL::uuid AS provider_id
FROM entries GROUP BY 1, 2, 3
UNION ALL
SELECT group_id, label, reason_code, NULL, count(*), {_PLACES}
FROM entries WHERE label = ANY($9) GROUP BY group_id, label, reason_code, {_PLACES}
"""  # noqa: S608 - columns of ours

_MEDIANS = """
SELECT m.group_id, w.wait, count(*) AS referrals,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.length) AS low,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.length DESC) AS high
FROM moments m
CROSS JOIN LATERAL (
    SELECT n.wait, m.waited AS length FROM unnest($5::text[], $6::referral_movement[]) AS n (wait, movement)
    WHERE n.movement = m.movement
    UNION ALL
    SELECT $7, m.until_appointment WHERE m.movement = 'FIRST_SCHEDULED' AND m.until_appointment IS NOT NULL
) w
WHERE m.organization_id = $1 AND m.group_id = ANY($2) AND m.at >= $3 AND m.at < $4
AND m.movement IN ('FIRST_ACTION', 'FIRST_SCHEDULED', 'COMPLETED')
GROUP BY 1, 2
"""

_WATERMARKS = """
SELECT f.group_id, left(encode(sha256(convert_to(string_agg(f.fact, E'\\n' ORDER BY f.fact COLLATE "C"), 'UTF8')), 'hex'), 32)
FROM (
    SELECT DISTINCT told.group_id, c.referral_id || ' ' || c.version || ' ' || c.verb AS fact
    FROM unnest($2::uuid[], $3::uuid[]) AS told (group_id, referral_id)
    JOIN referral_changes c ON c.organization_id = $1 AND c.referral_id = told.referral_id
    WHERE c.occurred_at < $4
) f
GROUP BY 1
"""

_LABELS = {movement.value: number for movement, number in COUNTED.items()} | {
    number.value: number for number in Number
}
_EXPLAINED = [label for label, number in _LABELS.items() if number in EXPLAINED]
_AGES = [*(number.value for _, number in BACKLOG), Number.BACKLOG_15_DAYS_AND_MORE.value]


async def counted(
    tx: Connection,
    organization_id: OrganizationId,
    group_ids: Sequence[GroupId],
    span: tuple[datetime, datetime],
) -> dict[GroupId, Counted]:
    """What the time from a start (included) until an end (not included) comes to for each group: `counted` of its `tally`."""
    at = (organization_id, group_ids, *span)
    ages = [timedelta(days=below) for below, _ in BACKLOG]
    targets = (PENDING_TARGET, DECISION_TARGET)
    rows = await tx.fetch(_CELLS, *at, ages, _AGES, *targets, _EXPLAINED)
    found: dict[GroupId, Counted] = {group_id: Counted({}, [], {}) for group_id in group_ids}
    for group_id, label, reason, ids, *cell in rows:
        of, number = found[group_id], _LABELS[label]
        if ids is not None:
            of.ids[number, reason or ""] = ids
        else:
            referrals, *places = cell
            of.cells.append(Cell(number, (reason or "", *map(_key, places)), referrals))
    for group_id, wait, middle in await _medians(tx, at):
        found[group_id].medians[wait] = middle
    return found


def _key(place: UUID | None) -> str:
    return "" if place is None else str(place)


async def _medians(
    tx: Connection, at: tuple[object, ...]
) -> list[tuple[GroupId, Wait, MedianHours]]:
    rows = await tx.fetch(_MEDIANS, *at, list(WAITS), list(WAITS.values()), Wait.APPOINTMENT)
    return [
        (group_id, Wait(wait), MedianHours.between(low, high, referrals))
        for group_id, wait, referrals, low, high in rows
    ]


async def watermarks(
    tx: Connection,
    organization_id: OrganizationId,
    told: Mapping[GroupId, Counted],
    as_of: datetime,
) -> dict[GroupId, str]:
    """The digest of the facts each group's figures are made of: `watermark` of its history."""
    pairs = [
        (group_id, referral_id) for group_id, one in told.items() for referral_id in one.referrals
    ]
    rows = await tx.fetch(
        _WATERMARKS, organization_id, [one for one, _ in pairs], [one for _, one in pairs], as_of
    )
    marks = {row[0]: row[1] for row in rows}
    return {group_id: marks.get(group_id) or digest(()) for group_id in told}
