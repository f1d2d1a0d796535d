"""The search behind suggestReceivers: who practises where, what is known of the plan, how soon they answer (R28)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.nouns import GroupId, OfficeId, ProviderId
from services.directory.domain.ranking import Answers, GroupAtOffice, Practice, Wanted

MOST_PRACTICES = 500
"""Nearest first among those who accept the plan, then among the others."""

_PRACTICES = """
WITH open_offices AS (
    SELECT o.id, o.organization_id, o.latitude, o.longitude, EXISTS (
        SELECT FROM office_users_heard w JOIN users_heard u USING (user_id, organization_id)
        WHERE w.office_id = o.id AND w.organization_id = o.organization_id AND u.confirmed AND u.active
    ) AS staffed
    FROM offices o WHERE o.state = 'LIVE'
)
SELECT p.id AS provider_id, o.id AS office_id, o.organization_id, p.first_name || ' ' || p.last_name AS name,
    o.latitude, o.longitude, o.staffed, l.accepting_new_patients,
    coalesce(k.listed, 0)::integer AS plans_listed, coalesce(k.accepts, false) AS accepts, k.verified_on,
    (l.changed_at AT TIME ZONE 'UTC')::date AS changed_on
FROM providers p
JOIN placements l ON l.provider_id = p.id
JOIN open_offices o ON o.id = l.office_id
LEFT JOIN LATERAL (
    SELECT count(*) AS listed, bool_or(h.plan_id = $3) AS accepts,
        min(h.verified_on) FILTER (WHERE h.plan_id = $3) AS verified_on
    FROM participations_heard h WHERE h.provider_id = p.id AND h.office_id = o.id
        AND h.effective_from <= $2 AND (h.effective_until IS NULL OR h.effective_until > $2)
) k ON true
WHERE p.state = 'APPROVED' AND l.effective_from <= $2 AND (l.effective_until IS NULL OR l.effective_until > $2)
    AND EXISTS (SELECT FROM provider_specialties s WHERE s.provider_id = p.id AND s.code = ANY($1))
ORDER BY coalesce(k.accepts, false) DESC,
    power(o.latitude - $4, 2) + power((o.longitude - $5) * cos(radians($4)), 2), p.id, o.id
LIMIT $6
"""


async def practices(tx: Connection, codes: Iterable[str], wanted: Wanted) -> list[Practice]:
    """Approved providers with one of the specialties at live offices on the day."""  # any-organization: the network's
    near = wanted.near
    return await db.many(
        tx,
        Practice,
        _PRACTICES,
        list(codes),
        wanted.on,
        wanted.plan_id,
        near.latitude if near else 0.0,
        near.longitude if near else 0.0,
        MOST_PRACTICES,
    )


async def receiving_groups(tx: Connection, offices: Iterable[OfficeId]) -> list[GroupAtOffice]:
    """The ready groups that receive at these offices."""  # any-organization: ready groups are public in the network
    return await db.many(
        tx,
        GroupAtOffice,
        """SELECT g.id AS group_id, o.office_id, g.organization_id, g.name,
                ARRAY(SELECT provider_id FROM group_providers WHERE group_id = g.id ORDER BY 1) AS provider_ids
            FROM groups g JOIN group_offices o ON o.group_id = g.id
            WHERE g.state = 'READY' AND g.may_receive AND o.office_id = ANY($1) ORDER BY g.id, o.office_id""",
        list(offices),
    )


async def answers(
    tx: Connection, offices: Iterable[OfficeId], since: datetime
) -> dict[tuple[ProviderId | GroupId, OfficeId], Answers]:
    """How soon each receiver of these offices acknowledged what was sent since then."""  # any-organization: by office id
    rows = await tx.fetch(
        """SELECT coalesce(group_id, provider_id) AS receiver, office_id, count(*) AS count,
                percentile_cont(0.5) WITHIN GROUP (
                    ORDER BY extract(epoch FROM acknowledged_at - sent_at)) / 3600 AS median_hours
            FROM answers_heard WHERE office_id = ANY($1) AND sent_at >= $2 AND acknowledged_at >= sent_at
            GROUP BY 1, 2""",
        list(offices),
        since,
    )
    return {
        (row["receiver"], row["office_id"]): Answers(row["count"], float(row["median_hours"]))
        for row in rows
    }


async def siblings(
    tx: Connection, office_id: UUID, codes: Iterable[str], now: datetime
) -> list[Practice]:
    """Approved providers of the office now with one of the specialties, whatever plan: who could receive instead."""  # any-organization: by office id
    return await db.many(
        tx,
        Practice,
        """SELECT DISTINCT p.id AS provider_id, o.id AS office_id, o.organization_id,
                p.first_name || ' ' || p.last_name AS name, o.latitude, o.longitude, true AS staffed,
                l.accepting_new_patients, 0 AS plans_listed, false AS accepts, NULL::date AS verified_on,
                (l.changed_at AT TIME ZONE 'UTC')::date AS changed_on
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
