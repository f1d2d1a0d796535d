"""Rules of scorecards, what they said week by week, and what they are measured from."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import Change, OrganizationId, ReferralId
from services.reporting.domain.results import Result
from services.reporting.domain.scorecards import Listed, Measure, Rule, Subject

AT_A_TIME = 1000
"""Referrals whose histories are read at once."""

# Rules ----------------------------------------------------------------------------------------------------------------


async def hold_rules(tx: Connection, organization_id: OrganizationId) -> None:
    """One at a time for whoever changes the organization's rules, until the transaction is over."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 32))", f"rules {organization_id}"
    )


async def rules(tx: Connection, organization_id: OrganizationId) -> list[Rule]:
    """Every version of every rule that the organization has set."""
    return await db.many(
        tx,
        Rule,
        """SELECT measure, number, percent, cases, target_days, watched, from_week, set_by, set_at FROM scorecard_rules
            WHERE organization_id = $1 ORDER BY measure, number""",
        organization_id,
    )


async def set_rule(tx: Connection, organization_id: OrganizationId, rule: Rule) -> None:
    """Keep a version of a rule."""
    await db.run(
        tx,
        """INSERT INTO scorecard_rules (organization_id, measure, number, percent, cases, target_days, watched, from_week,
            set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        organization_id,
        rule.measure,
        rule.number,
        rule.percent,
        rule.cases,
        rule.target_days,
        rule.watched,
        rule.from_week,
        rule.set_by,
        rule.set_at,
    )


# What is measured -----------------------------------------------------------------------------------------------------


async def subjects(tx: Connection, organization_id: OrganizationId) -> list[Subject]:
    """The offices that see patients now, and the groups there are."""
    return await db.many(
        tx,
        Subject,
        """SELECT organization_id, 'OFFICE' AS kind, office_id AS id, name, ARRAY[office_id] AS office_ids
            FROM offices WHERE organization_id = $1 AND state IN ('LIVE', 'CLOSING')
            UNION ALL
            SELECT g.organization_id, 'GROUP', g.id, g.name, t.office_ids
            FROM groups g JOIN group_teams t ON t.organization_id = g.organization_id AND t.group_id = g.id
            WHERE g.organization_id = $1 AND g.removed_at IS NULL
            ORDER BY name, id""",
        organization_id,
    )


async def places(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID]
) -> list[Subject]:
    """The organization's offices and groups with these ids, whatever has become of them."""
    return await db.many(
        tx,
        Subject,
        """SELECT organization_id, 'OFFICE' AS kind, office_id AS id, name, ARRAY[office_id] AS office_ids
            FROM offices WHERE organization_id = $1 AND office_id = ANY($2)
            UNION ALL
            SELECT organization_id, 'GROUP', id, name, office_ids FROM groups WHERE organization_id = $1 AND id = ANY($2)""",
        organization_id,
        ids,
    )


async def histories(
    tx: Connection,
    organization_id: OrganizationId,
    span: tuple[datetime, datetime],
    at_a_time: int = AT_A_TIME,
) -> AsyncIterator[list[Change]]:
    """The whole histories of the referrals that began before a span's end and are open or have changed since its start, so many
    referrals at a time: a week's are too many to be held at once."""
    after = UUID(int=0)
    while found := await _next_histories(tx, organization_id, span, after, at_a_time):
        yield found
        after = found[-1].referral_id


async def _next_histories(
    tx: Connection,
    organization_id: OrganizationId,
    span: tuple[datetime, datetime],
    after: UUID,
    limit: int,
) -> list[Change]:
    return await db.many(
        tx,
        Change,
        """WITH wanted AS MATERIALIZED (SELECT r.referral_id FROM referrals r
                WHERE r.organization_id = $1 AND r.first_changed_at < $3 AND r.referral_id > $4
                AND (r.last_changed_at >= $2 OR EXISTS (SELECT FROM referral_changes l WHERE l.organization_id = $1
                    AND l.referral_id = r.referral_id AND l.sequence = r.sequence
                    AND l.status IN ('PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP')))
                ORDER BY r.referral_id LIMIT $5)
            SELECT c.referral_id, c.sequence, c.version, c.verb, c.status, c.hop, c.group_id, c.sending_group_id,
            c.reason_code, c.occurred_at, c.outcome, c.appointment_at, c.plan_acceptance, c.office_id, c.provider_id,
            c.sending_office_id
            FROM wanted JOIN referral_changes c ON c.organization_id = $1 AND c.referral_id = wanted.referral_id
            ORDER BY c.referral_id, c.sequence""",
        organization_id,
        *span,
        after,
        limit,
    )


async def note_comment(
    tx: Connection,
    organization_id: OrganizationId,
    referral_id: ReferralId,
    version: int,
    *,
    commented: bool,
) -> None:
    """Note whether a decline came with words."""
    await db.run(
        tx,
        """INSERT INTO decline_comments (organization_id, referral_id, version, commented) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING""",
        organization_id,
        referral_id,
        version,
        commented,
    )


async def commented(
    tx: Connection, organization_id: OrganizationId, referral_ids: Sequence[UUID]
) -> dict[tuple[ReferralId, int], bool]:
    """Of these referrals' declines, as far as it is known, whether they came with words."""
    rows = await tx.fetch(
        """SELECT referral_id, version, commented FROM decline_comments
            WHERE organization_id = $1 AND referral_id = ANY($2)""",
        organization_id,
        referral_ids,
    )
    return {(ReferralId(row["referral_id"]), row["version"]): row["commented"] for row in rows}


async def listed(tx: Connection, organization_id: OrganizationId, day: date) -> list[Listed]:
    """What insurance lists for a day, anywhere in the organization."""
    return await db.many(
        tx,
        Listed,
        """SELECT provider_id, office_id, verified_on FROM participations WHERE organization_id = $1
            AND effective_from <= $2 AND (effective_until IS NULL OR effective_until > $2)""",
        organization_id,
        day,
    )


async def members(tx: Connection, organization_id: OrganizationId) -> dict[UUID, set[UUID]]:
    """The providers of each group."""
    rows = await tx.fetch(
        "SELECT group_id, provider_ids FROM group_teams WHERE organization_id = $1 AND NOT removed",
        organization_id,
    )
    return {row["group_id"]: set(row["provider_ids"]) for row in rows}


# Weeks ----------------------------------------------------------------------------------------------------------------


async def last_week(tx: Connection, organization_id: OrganizationId, until: date) -> date | None:
    """The Monday of the last week until a day that was measured: in development clocks go back."""
    found: date | None = await db.value(
        tx,
        "SELECT max(week_of) FROM scorecard_weeks WHERE organization_id = $1 AND week_of <= $2",
        organization_id,
        until,
    )
    return found


async def begin_week(
    tx: Connection, organization_id: OrganizationId, monday: date, ends_at: datetime, at: datetime
) -> bool:
    """Whether the week is to be measured: nobody has, and nobody else will."""
    return bool(
        await db.run(
            tx,
            """INSERT INTO scorecard_weeks (organization_id, week_of, ends_at, measured_at) VALUES ($1, $2, $3, $4)
                ON CONFLICT DO NOTHING""",
            organization_id,
            monday,
            ends_at,
            at,
        )
    )


async def keep_results(tx: Connection, results: Sequence[Result]) -> None:
    """Keep what the rules said of a week."""
    await tx.executemany(
        """INSERT INTO scorecard_results (organization_id, week_of, subject, subject_id, measure, rule_number, percent, part,
            whole, verdict, missed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        [
            (
                one.organization_id,
                one.week_of,
                one.subject,
                one.subject_id,
                one.measure,
                one.rule_number,
                one.percent,
                one.part,
                one.whole,
                one.verdict,
                list(one.missed),
            )
            for one in results
        ],
    )


_RESULT = """SELECT organization_id, week_of, subject, subject_id, measure, rule_number, percent, part, whole, verdict, missed
    FROM scorecard_results"""


async def results(
    tx: Connection, organization_id: OrganizationId, subject_ids: Sequence[UUID], monday: date
) -> list[Result]:
    """What the rules said of these subjects' week."""
    return await db.many(
        tx,
        Result,
        f"""{_RESULT} WHERE organization_id = $1 AND subject_id = ANY($2) AND week_of = $3
            ORDER BY subject_id, measure""",
        organization_id,
        subject_ids,
        monday,
    )


async def results_since(
    tx: Connection,
    organization_id: OrganizationId,
    asked: Sequence[tuple[UUID, Measure, date]],
) -> list[Result]:
    """What the rules of these measures said of these subjects, each from a week on, the oldest first."""
    return await db.many(
        tx,
        Result,
        f"""{_RESULT} r WHERE organization_id = $1 AND EXISTS (
                SELECT FROM unnest($2::uuid[], $3::scorecard_measure[], $4::date[]) AS w (subject_id, measure, since)
                WHERE w.subject_id = r.subject_id AND w.measure = r.measure AND r.week_of >= w.since)
            AND subject_id = ANY($2) ORDER BY week_of""",
        organization_id,
        [one[0] for one in asked],
        [one[1] for one in asked],
        [one[2] for one in asked],
    )
