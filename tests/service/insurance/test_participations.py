"""Participations, from GraphQL to PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from kit.auth import Viewer
from proto.identity.v1.events_pb2 import OrganizationAdded
from tests.service.insurance.asking import (
    ADD,
    ADD_MANY,
    END,
    VERIFY,
    a_plan,
    mutate,
    rows,
    wanted,
)
from tests.service.insurance.conftest import Insurance, Practice, new_practice


async def told(insurance: Insurance, organization_id: UUID) -> list[tuple[str, dict[str, object]]]:
    """The facts recorded for an organization, in order: type and data."""
    found = await insurance.running.sql.fetch(
        "SELECT body::json->>'type' AS type, body::json->'data' AS data FROM outbox"
        " WHERE organization_id = $1 ORDER BY id",
        organization_id,
    )
    return [(row["type"], row["data"]) for row in found]


async def test_a_plan_accepted_until_january_is_not_accepted_on_the_first_of_january(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan_id = await a_plan(insurance)
    added = await mutate(
        insurance, ADD, wanted(practice, plan_id, "2026-01-01", "2027-01-01"), practice.manager
    )

    assert added["__typename"] == "Participation"
    place = {"providerId": practice.provider_id, "officeId": practice.office_id}
    on_the_last = await rows(insurance, practice.manager, on="2026-12-31", **place)
    assert [row["id"] for row in on_the_last] == [added["id"]]
    assert await rows(insurance, practice.manager, on="2027-01-01", **place) == []


async def test_what_the_organization_says_is_verified_on_the_day_it_says_so(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan_id = await a_plan(insurance)
    input_ = wanted(practice, plan_id, "2026-01-01")

    own = await mutate(insurance, ADD, input_, practice.manager)
    later = wanted(practice, await a_plan(insurance), "2026-01-01")
    imported = await mutate(insurance, ADD, later | {"source": "IMPORT"}, practice.manager)

    today = insurance.running.parts.clock.now().date().isoformat()
    assert (own["source"], own["lastVerifiedOn"]) == ("ORGANIZATION", today)
    assert own["lastVerifiedBy"] == {"id": str(practice.manager.user_id)}
    assert (imported["source"], imported["lastVerifiedOn"]) == ("IMPORT", None)


async def test_an_overlapping_participation_is_refused_by_naming_the_existing_one(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan_id = await a_plan(insurance)
    first = wanted(practice, plan_id, "2026-01-01", "2027-01-01")
    existing = await mutate(insurance, ADD, first, practice.manager)

    refused = await mutate(
        insurance, ADD, wanted(practice, plan_id, "2026-06-01"), practice.manager
    )

    assert (refused["__typename"], refused["code"]) == ("OverlapProblem", "OVERLAP")
    assert refused["participationId"] == existing["id"]
    assert (refused["effectiveFrom"], refused["effectiveUntil"]) == ("2026-01-01", "2027-01-01")
    meeting = await mutate(
        insurance, ADD, wanted(practice, plan_id, "2027-01-01"), practice.manager
    )
    assert meeting["__typename"] == "Participation"


async def test_of_two_overlapping_adds_at_once_one_wins(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan_id = await a_plan(insurance)

    answers = await asyncio.gather(
        *(
            mutate(insurance, ADD, wanted(practice, plan_id, "2026-01-01"), practice.manager)
            for _ in range(4)
        )
    )

    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["OverlapProblem"] * 3 + ["Participation"]


@pytest.mark.parametrize("until", ["2026-01-01", "2025-12-31"])
async def test_a_period_that_ends_before_it_begins_is_refused(
    insurance: Insurance, practice: Practice, until: str
) -> None:
    """R27"""
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01", until)

    refused = await mutate(insurance, ADD, input_, practice.manager)

    assert (refused["__typename"], refused["code"]) == ("InvalidProblem", "EMPTY_PERIOD")
    assert refused["field"] == "effectiveUntil"


async def test_an_unknown_plan_is_refused(insurance: Insurance, practice: Practice) -> None:
    """R27"""
    refused = await mutate(
        insurance, ADD, wanted(practice, str(uuid4()), "2026-01-01"), practice.manager
    )

    assert (refused["__typename"], refused["code"]) == ("NotFoundProblem", "UNKNOWN_PLAN")


async def test_a_plan_its_payer_has_ended_is_refused(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan_id = await a_plan(insurance, effectiveUntil="2026-01-01")

    refused = await mutate(
        insurance, ADD, wanted(practice, plan_id, "2026-01-01"), practice.manager
    )

    assert refused["code"] == "PLAN_NOT_OFFERED"


async def test_a_provider_who_does_not_work_at_the_office_is_refused(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01")

    refused = await mutate(insurance, ADD, input_ | {"officeId": str(uuid4())}, practice.manager)

    assert (refused["__typename"], refused["code"]) == ("ConflictProblem", "PROVIDER_NOT_AT_OFFICE")


@pytest.mark.parametrize(
    ("until", "code"),
    [(None, "PLACEMENT_ENDS"), ("2099-07-02", "PLACEMENT_ENDS"), ("2099-07-01", None)],
)
async def test_a_plan_is_not_accepted_beyond_the_end_of_the_placement(
    insurance: Insurance, practice: Practice, until: str | None, code: str | None
) -> None:
    """R27"""
    insurance.directory.until[practice.provider_id, practice.office_id] = "2099-07-01"
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01", until)

    answer = await mutate(insurance, ADD, input_, practice.manager)

    assert answer.get("code") == code
    assert answer.get("field") == ("effectiveUntil" if code else None)


async def test_a_provider_of_another_organization_is_refused_like_an_unknown_one(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R27"""
    other = new_practice(insurance)
    plan_id = await a_plan(insurance)

    foreign = await mutate(insurance, ADD, wanted(other, plan_id, "2026-01-01"), practice.manager)
    unknown = wanted(other, plan_id, "2026-01-01") | {"providerId": str(uuid4())}

    assert foreign == await mutate(insurance, ADD, unknown, practice.manager)


async def test_directory_is_asked_about_the_first_day_or_today_whichever_is_later(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    today = insurance.running.parts.clock.now().date()
    later = (today + timedelta(days=30)).isoformat()

    for first in ("2026-01-01", later):
        await mutate(
            insurance, ADD, wanted(practice, await a_plan(insurance), first), practice.manager
        )

    assert insurance.directory.asked[-2:] == [today.isoformat(), later]


async def test_who_may_edit_participations(insurance: Insurance, practice: Practice) -> None:
    """R26"""
    office = frozenset({practice.office_id})
    editors = [
        practice.manager,
        practice.staff(client_admin=True),
        practice.staff(office_admin_of=office),
    ]
    others = [
        practice.staff(office_staff_of=office),
        practice.staff(office_admin_of=frozenset({uuid4()})),
        practice.staff(call_centre=True),
    ]

    async def add(viewer: Viewer) -> str:
        input_ = wanted(practice, await a_plan(insurance), "2026-01-01")
        kind: str = (await mutate(insurance, ADD, input_, viewer))["__typename"]
        return kind

    assert [await add(viewer) for viewer in editors] == ["Participation"] * 3
    assert [await add(viewer) for viewer in others] == ["DeniedProblem"] * 3


async def test_several_plans_are_added_in_one_call_in_the_order_named(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plans = [await a_plan(insurance) for _ in range(3)]
    input_ = wanted(practice, "", "2026-01-01") | {"planIds": plans[::-1]}
    del input_["planId"]

    added = await mutate(insurance, ADD_MANY, input_, practice.manager)

    assert [one["plan"]["id"] for one in added["participations"]] == plans[::-1]
    facts = await told(insurance, practice.organization_id)
    assert [kind for kind, _ in facts] == ["suite.insurance.participation.added.v1"] * 3


async def test_one_refused_plan_keeps_all_out_and_each_is_told_why(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    fine, taken, unknown = await a_plan(insurance), await a_plan(insurance), str(uuid4())
    existing = await mutate(insurance, ADD, wanted(practice, taken, "2026-01-01"), practice.manager)
    input_ = wanted(practice, "", "2026-02-01") | {"planIds": [unknown, fine, taken]}
    del input_["planId"]

    refused = await mutate(insurance, ADD_MANY, input_, practice.manager)

    assert (refused["__typename"], refused["code"]) == ("PlansRefusedProblem", "PLANS_REFUSED")
    reasons = [(one["planId"], one["code"], one["participationId"]) for one in refused["plans"]]
    assert reasons == [(unknown, "UNKNOWN_PLAN", None), (taken, "OVERLAP", existing["id"])]
    assert len(await rows(insurance, practice.manager)) == 1


async def test_a_retry_with_the_same_key_adds_once(
    insurance: Insurance, practice: Practice
) -> None:
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01")

    once = await mutate(insurance, ADD, input_, practice.manager)
    again = await mutate(insurance, ADD, input_, practice.manager)

    assert again == once
    other = await mutate(insurance, ADD, input_ | {"effectiveFrom": "2026-02-01"}, practice.manager)
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_change_is_an_end_and_a_new_row(insurance: Insurance, practice: Practice) -> None:
    """R27"""
    plan_id = await a_plan(insurance)
    first = await mutate(insurance, ADD, wanted(practice, plan_id, "2026-01-01"), practice.manager)

    ended = await mutate(
        insurance,
        END,
        {"participationId": first["id"], "effectiveUntil": "2026-07-01", "expectedVersion": 1},
        practice.manager,
    )
    await mutate(insurance, ADD, wanted(practice, plan_id, "2026-07-01"), practice.manager)

    assert (ended["effectiveUntil"], ended["version"]) == ("2026-07-01", 2)
    history = await rows(insurance, practice.manager, providerId=practice.provider_id)
    days = [(row["effectiveFrom"], row["effectiveUntil"]) for row in history]
    assert days == [("2026-01-01", "2026-07-01"), ("2026-07-01", None)]
    kinds = [kind.split(".")[3] for kind, _ in await told(insurance, practice.organization_id)]
    assert kinds == ["added", "ended", "added"]


async def test_an_end_needs_the_version_the_viewer_saw(
    insurance: Insurance, practice: Practice
) -> None:
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01")
    row = await mutate(insurance, ADD, input_, practice.manager)

    refused = await mutate(
        insurance,
        END,
        {"participationId": row["id"], "effectiveUntil": "2026-07-01", "expectedVersion": 7},
        practice.manager,
    )

    assert (refused["__typename"], refused["currentVersion"]) == ("StaleVersionProblem", 1)


async def test_another_organizations_participation_is_not_found(
    insurance: Insurance, practice: Practice
) -> None:
    """R02, R26"""
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01")
    row = await mutate(insurance, ADD, input_, practice.manager)
    foreigner = new_practice(insurance).manager

    refused = await mutate(
        insurance, VERIFY, {"participationId": row["id"], "expectedVersion": 1}, foreigner
    )
    unknown = await mutate(
        insurance, VERIFY, {"participationId": str(uuid4()), "expectedVersion": 1}, foreigner
    )

    assert refused["__typename"] == "NotFoundProblem"
    assert refused == unknown


async def test_verifying_stamps_who_and_when_and_tells_it(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01") | {"source": "PAYER"}
    row = await mutate(insurance, ADD, input_, practice.manager)
    admin = practice.staff(office_admin_of=frozenset({practice.office_id}))

    verified = await mutate(
        insurance, VERIFY, {"participationId": row["id"], "expectedVersion": 1}, admin
    )

    today = insurance.running.parts.clock.now().date().isoformat()
    assert (verified["lastVerifiedOn"], verified["version"]) == (today, 2)
    assert verified["lastVerifiedBy"] == {"id": str(admin.user_id)}
    kind, data = (await told(insurance, practice.organization_id))[-1]
    assert kind == "suite.insurance.participation.verified.v1"
    assert (data["verifiedOn"], data["planId"]) == (today, input_["planId"])


async def test_an_ended_participation_cannot_be_verified(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    input_ = wanted(practice, await a_plan(insurance), "2025-01-01", "2026-01-01")
    row = await mutate(insurance, ADD, input_, practice.manager)

    refused = await mutate(
        insurance, VERIFY, {"participationId": row["id"], "expectedVersion": 1}, practice.manager
    )

    assert row["allowedActions"] == []
    assert refused["code"] == "PARTICIPATION_ENDED"


async def test_the_database_itself_keeps_history_and_refuses_overlaps(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01")
    row = await mutate(insurance, ADD, input_, practice.manager)
    sql = insurance.running.sql

    for change in (
        "DELETE FROM participations WHERE id = $1",
        "UPDATE participations SET effective_from = '2025-01-01', version = version + 1 WHERE id = $1",
        "UPDATE participations SET office_id = uuidv7(), version = version + 1 WHERE id = $1",
        "UPDATE participations SET last_verified_on = '2026-01-01' WHERE id = $1",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await sql.execute(change, UUID(row["id"]))
    with pytest.raises(asyncpg.ExclusionViolationError):
        await sql.execute(
            """INSERT INTO participations (id, batch_id, organization_id, provider_id, office_id, plan_id,
                effective_from, source, added_at, added_by)
            SELECT uuidv7(), batch_id, organization_id, provider_id, office_id, plan_id,
                '2026-05-05', source, added_at, added_by FROM participations WHERE id = $1""",
            UUID(row["id"]),
        )


async def test_days_are_those_of_the_organizations_calendar(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    await insurance.neighbours.say(
        OrganizationAdded(
            organization_id=str(practice.organization_id), time_zone="Pacific/Kiritimati"
        ),
        practice.organization_id,
        "organization",
        practice.organization_id,
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01")

    row = await mutate(insurance, ADD, input_, practice.manager)

    ahead = insurance.running.parts.clock.now() + timedelta(hours=14)
    assert row["lastVerifiedOn"] == ahead.date().isoformat()
