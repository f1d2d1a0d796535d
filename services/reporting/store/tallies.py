"""The tally of a group's week, in SQL: what `domain/tally.py` says, read from standings and moments."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kit.db import Connection, Row
from services.reporting.domain import (
    BACKLOG,
    COUNTED,
    DECISION_TARGET,
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

_CELLS = """
WITH happened AS (
    SELECT m.group_id, m.movement, m.referral_id, m.sequence, m.told_sequence FROM moments m
    WHERE m.organization_id = $1 AND m.group_id = ANY($2) AND m.at >= $3 AND m.at < $4
), opening AS (
    SELECT s.holder AS group_id, s.referral_id, s.sequence FROM standings s
    WHERE s.organization_id = $1 AND s.holder = ANY($2) AND s.at < $3 AND s.until >= $3
), closing AS (
    SELECT s.holder AS group_id, s.referral_id, s.sequence, s.status, s.worked_at, $4 - s.since AS age FROM standings s
    WHERE s.organization_id = $1 AND s.holder = ANY($2) AND s.at < $4 AND s.until >= $4
), ends AS (
    SELECT h.group_id, h.movement, h.referral_id, h.told_sequence, c.outcome, s.loop_closed,
        s.appointment AND s.status = 'FOLLOW_UP' AND s.holder = h.group_id AS waiting
    FROM happened h
    JOIN standings s ON s.organization_id = $1 AND s.referral_id = h.referral_id AND s.at < $4 AND s.until >= $4
    JOIN referral_changes c ON c.organization_id = $1 AND c.referral_id = h.referral_id AND c.sequence = h.sequence
    WHERE h.movement IN ('COMPLETED', 'APPOINTMENT_PASSED')
), entries AS (
    SELECT h.group_id, h.movement::text AS label, h.referral_id, h.told_sequence, c.reason_code
    FROM happened h JOIN referral_changes c ON c.organization_id = $1 AND c.referral_id = h.referral_id AND c.sequence = h.sequence
    UNION ALL
    SELECT group_id, 'opening', referral_id, sequence, NULL FROM opening
    UNION ALL
    SELECT group_id, 'closing', referral_id, sequence, NULL FROM closing
    UNION ALL
    SELECT group_id, ($6::text[])[1 + width_bucket(age, $5::interval[])], referral_id, sequence, NULL FROM closing
    UNION ALL
    SELECT group_id, 'overdue', referral_id, sequence, NULL FROM closing
    WHERE (status = 'PENDING' AND age > $7::interval) OR (status IN ('PENDING', 'IN_PROGRESS') AND age > $8::interval)
    UNION ALL
    SELECT group_id, 'unworked', referral_id, sequence, NULL FROM closing WHERE worked_at < $3
    UNION ALL
    SELECT group_id, 'completed_seen', referral_id, told_sequence, NULL FROM ends
    WHERE movement = 'COMPLETED' AND (loop_closed OR outcome = 'SEEN')
    UNION ALL
    SELECT group_id, 'loops_closed', referral_id, told_sequence, NULL FROM ends WHERE movement = 'COMPLETED' AND loop_closed
    UNION ALL
    SELECT group_id, 'appointments_over', referral_id, told_sequence, NULL FROM ends
    WHERE movement = 'APPOINTMENT_PASSED' AND waiting
)
SELECT e.group_id, e.label, e.reason_code, t.sending_office_id, t.sending_group_id, t.office_id, t.provider_id,
    array_agg(e.referral_id) AS ids
FROM entries e
JOIN referral_changes t ON t.organization_id = $1 AND t.referral_id = e.referral_id AND t.sequence = e.told_sequence
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""

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
    rows = await tx.fetch(_CELLS, *at, ages, _AGES, PENDING_TARGET, DECISION_TARGET)
    cells: dict[GroupId, list[Cell]] = {group_id: [] for group_id in group_ids}
    for row in rows:
        cells[row["group_id"]].append(_cell(row))
    medians = await _medians(tx, at)
    return {
        group_id: Counted(tuple(found), medians.get(group_id, {}))
        for group_id, found in cells.items()
    }


def _cell(row: Row) -> Cell:
    _, label, *keys, ids = row
    return Cell(_LABELS[label], tuple("" if key is None else str(key) for key in keys), tuple(ids))


async def _medians(tx: Connection, at: tuple[Any, ...]) -> dict[GroupId, dict[Wait, MedianHours]]:
    rows = await tx.fetch(_MEDIANS, *at, list(WAITS), list(WAITS.values()), Wait.APPOINTMENT)
    found: dict[GroupId, dict[Wait, MedianHours]] = {}
    for group_id, wait, referrals, low, high in rows:
        middle = MedianHours.between(low, high, referrals)
        found.setdefault(group_id, {})[Wait(wait)] = middle
    return found


async def watermarks(
    tx: Connection,
    organization_id: OrganizationId,
    told: Mapping[GroupId, Counted],
    as_of: datetime,
) -> dict[GroupId, str]:
    """The digest of the facts each group's figures are made of: `watermark` of its history."""
    pairs = [
        (group_id, referral_id)
        for group_id, one in told.items()
        for referral_id in {referral_id for cell in one.cells for referral_id in cell.ids}
    ]
    rows = await tx.fetch(
        _WATERMARKS, organization_id, [one for one, _ in pairs], [one for _, one in pairs], as_of
    )
    marks = {row[0]: row[1] for row in rows}
    return {group_id: marks.get(group_id) or digest(()) for group_id in told}
