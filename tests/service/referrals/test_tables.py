"""The tables state the rules themselves: what no code may write, the database refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from kit.db import violated
from tests.service.referrals.asking import act, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_receiving import ahead

WRONG = {
    "sender_named": {"sending_provider_id": None, "sending_group_id": None},
    "draft_is_unsent": {"status": "DRAFT"},
    "unsent_is_draft_or_cancelled": {"sent_at": None, "received_at": None},
    "received_when_sent": {"received_at": None},
    "completed_says_how": {"outcome": "SEEN"},
    "outcome_is_of_a_visit": {"outcome_at": datetime(2030, 1, 1, tzinfo=UTC)},
    "sent_has_receiver": {"receiving_office_id": None},
    "scheduled_has_time": {"status": "SCHEDULED"},
    "time_has_status": {"appointment_at": datetime(2030, 1, 1, tzinfo=UTC)},
    "claim_has_provider": {"claimed_by": uuid4()},
    "reason_fits_status": {"status": "DECLINED"},
    "reason_complete": {"reason_code": "AGE"},
    "second_plan_is_another": {"second_plan_id": uuid4()},
    "outside_plan_is_not_listed": {"outside_plan_reason": "SELF_PAY"},
    "plan_counts": {"plan_accepting": 1},
    "referrals_specialty_code_check": {"specialty_code": "cardiology"},
    "referrals_version_check": {"version": 0},
    "referrals_hop_check": {"hop": 0},
}


@pytest.mark.parametrize("constraint", WRONG)
async def test_a_referral_that_breaks_a_rule_cannot_be_written(
    world: World, constraint: str
) -> None:
    """R13, R21, R22."""
    sent = await send(world)
    columns = WRONG[constraint]
    sets = ", ".join(f"{column} = ${number}" for number, column in enumerate(columns, start=2))

    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await world.service.running.sql.execute(
            f"UPDATE referrals SET {sets} WHERE id = $1",  # noqa: S608 - columns of this file
            sent["id"],
            *columns.values(),
        )

    assert violated(refused.value) == constraint


async def test_a_referral_has_one_current_hop_and_one_standing_appointment(world: World) -> None:
    sent = await send(world)
    booked = await act(world, "scheduleReferral", world.receiver.staff, sent, at=ahead(world))
    sql = world.service.running.sql

    with pytest.raises(asyncpg.UniqueViolationError) as second_hop:
        await sql.execute(
            "INSERT INTO hops (referral_id, hop, organization_id, office_id, provider_id, received_at)"
            " VALUES ($1, 2, $2, $2, $2, now())",
            booked["id"],
            uuid4(),
        )
    with pytest.raises(asyncpg.UniqueViolationError) as second_time:
        await sql.execute(
            "INSERT INTO appointments (id, referral_id, at, state, booked_at)"
            " VALUES ($1, $2, now(), 'BOOKED', now())",
            uuid4(),
            booked["id"],
        )

    assert violated(second_hop.value) == "hops_one_current"
    assert violated(second_time.value) == "appointments_one_standing"


async def test_a_reason_must_be_one_of_its_own_kind(world: World) -> None:
    """R13."""
    sent = await send(world)

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await world.service.running.sql.execute(
            "UPDATE referrals SET status = 'CANCELLED', reason_kind = 'CANCEL', reason_code = 'AGE' WHERE id = $1",
            sent["id"],
        )
