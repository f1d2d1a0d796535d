"""SQL of what is told and sealed: a referral's patient, what was reported back, and the trail with its comments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kit import db
from kit.db import Connection
from services.referrals.domain import OrganizationId, ReferralId, Sealed, Step, UserId


@dataclass(frozen=True, slots=True)
class SealedReport:
    """What a receiver reported back, closed."""

    sealed: Sealed
    attached_at: datetime
    attached_by: UserId


@dataclass(frozen=True, slots=True)
class SealedStep(Step):
    """A step, and its comment, closed."""

    organization_id: OrganizationId | None
    key_number: int | None
    box: bytes | None

    @property
    def comment(self) -> Sealed | None:
        """The closed comment; None when nothing was said."""
        if self.organization_id is None or self.key_number is None or self.box is None:
            return None
        return Sealed(self.organization_id, self.key_number, self.box)


async def put_patient(tx: Connection, referral_id: ReferralId, sealed: Sealed) -> None:
    """Keep whom a referral is about, in place of what was there."""
    await db.run(
        tx,
        "INSERT INTO patients VALUES ($1, $2, $3, $4) ON CONFLICT (referral_id) DO UPDATE SET"
        " key_number = excluded.key_number, box = excluded.box",
        referral_id,
        *_cells(sealed),
    )


# any-organization: asked only for referrals whose policy answered FULL
async def patients(tx: Connection, ids: Sequence[ReferralId]) -> dict[ReferralId, Sealed]:
    """The patients of these referrals."""
    rows = await tx.fetch(
        "SELECT * FROM patients WHERE referral_id = ANY((SELECT $1::uuid[])::uuid[])", ids
    )
    return {row["referral_id"]: _sealed(row) for row in rows}


async def put_report(tx: Connection, referral_id: ReferralId, report: SealedReport) -> None:
    """Keep what the receiver reports back, in place of what was there."""
    await db.run(
        tx,
        "INSERT INTO outcome_reports VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (referral_id) DO UPDATE SET"
        " key_number = excluded.key_number, box = excluded.box, attached_at = excluded.attached_at,"
        " attached_by = excluded.attached_by",
        referral_id,
        *_cells(report.sealed),
        report.attached_at,
        report.attached_by,
    )


# any-organization: asked only for referrals whose policy answered FULL
async def reports(tx: Connection, ids: Sequence[ReferralId]) -> dict[ReferralId, SealedReport]:
    """What receivers reported back on these referrals."""
    rows = await tx.fetch(
        "SELECT * FROM outcome_reports WHERE referral_id = ANY((SELECT $1::uuid[])::uuid[])", ids
    )
    return {
        row["referral_id"]: SealedReport(
            _sealed(row), row["attached_at"], UserId(row["attached_by"])
        )
        for row in rows
    }


async def add_step(tx: Connection, step: Step, comment: Sealed | None) -> None:
    """Write down what was done, in the transaction that did it."""
    await db.run(
        tx,
        "INSERT INTO steps (referral_id, version, happened, status, by_user_id, by_organization_id, taken_at,"
        " organization_id, key_number, box) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        step.referral_id,
        step.version,
        step.happened,
        step.status,
        step.by_user_id,
        step.by_organization_id,
        step.taken_at,
        *(_cells(comment) if comment else (None, None, None)),
    )


# any-organization: asked only for referrals whose policy answered FULL
async def steps(tx: Connection, ids: Sequence[ReferralId]) -> dict[ReferralId, list[SealedStep]]:
    """What was done to these referrals, in order."""
    rows = await db.many(
        tx,
        SealedStep,
        "SELECT * FROM steps WHERE referral_id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY referral_id, version",
        ids,
    )
    found: dict[ReferralId, list[SealedStep]] = {one: [] for one in ids}
    for step in rows:
        found[step.referral_id].append(step)
    return found


async def reseal_step(tx: Connection, step: Step, comment: Sealed) -> None:
    """The same comment in a new box."""
    await db.run(
        tx,
        "UPDATE steps SET key_number = $3, box = $4 WHERE referral_id = $1 AND version = $2",
        step.referral_id,
        step.version,
        comment.key_number,
        comment.box,
    )


def _cells(sealed: Sealed) -> tuple[OrganizationId, int, bytes]:
    return sealed.organization_id, sealed.key_number, sealed.box


def _sealed(row: Any) -> Sealed:  # noqa: ANN401 - a row
    return Sealed(OrganizationId(row["organization_id"]), row["key_number"], row["box"])
