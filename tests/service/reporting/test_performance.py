"""Performance, hygiene and accuracy reports, from facts to GraphQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message

from kit.auth import Viewer
from proto.directory.v1 import events_pb2 as directory
from proto.identity.v1 import events_pb2 as identity
from proto.insurance.v1 import events_pb2 as insurance
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.stories import Story

NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 4, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIGURES = """{ received acknowledged scheduled completed declined loopsClosed appointmentsOver noShows
    noShowRate { part whole percent } toAcknowledge { medianHours p90Hours } toComplete { medianHours p90Hours } }"""
PERFORMANCE = f"""query($month: Date!) {{ performanceReport(month: $month) {{ month asOf dataAsOf smallCellsTold total {FIGURES}
    offices {{ office {{ id }} figures {FIGURES} }} providers {{ provider {{ id }} figures {FIGURES} }}
    declinedByReason {{ reasonCode count }} noShowsByReason {{ reasonCode count }}
    leakage {{ sent outside rate {{ percent }} }} leakageByPlan {{ plan {{ id }} leakage {{ sent outside }} }}
    outsidePlanReasons {{ reasonCode count }} }} }}"""
HYGIENE = """{ accountHygieneReport { dataAsOf uncoveredOffices { id }
    unconfirmed { count oldest { user { id } since inviteExpired } } inactive { count oldest { user { id } } } } }"""
AGES = "{ within30Days within60Days within90Days stale never fresh { part whole percent } }"
ACCURACY = f"""{{ directoryAccuracyReport {{ on dataAsOf profiles {AGES} participations {AGES}
    offices {{ office {{ id }} participations {AGES} }} }} }}"""
REVIEWS = """{ insuranceReviewReport { campaignId kind dueOn progress { part whole percent } escalatedAt closedBecause } }"""


async def told(reporting: Reporting, viewer: Viewer, month: str = "2026-03-15") -> dict[str, Any]:
    data = await reporting.running.data(PERFORMANCE, {"month": month}, viewer=viewer)
    found: dict[str, Any] = data["performanceReport"]
    return found


async def code(reporting: Reporting, query: str, viewer: Viewer, **given: object) -> str:
    answer = await reporting.running.gql(query, given, viewer=viewer)
    refused: str = answer["errors"][0]["extensions"]["code"]
    return refused


async def work(clinic: Clinic, completed: int, declined: int, office: UUID | None = None) -> None:
    """So many referrals at an office, each done within the week."""
    there = replace(clinic, office_id=office or clinic.office_id)
    for _ in range(completed):
        story = await (await Story(there, None).sent(NOON)).scheduled(NOON + 2 * HOUR)
        await story.completed(NOON + DAY)
    for _ in range(declined):
        await (await Story(there, None).sent(NOON)).declined(NOON + HOUR, "AGE")


async def test_an_office_admin_reads_every_number_of_own_offices_and_nothing_of_others(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    await work(clinic, completed=2, declined=1)
    await work(clinic, completed=3, declined=0, office=uuid4())
    await reporting.running.set_time(NEXT_MONTH)
    own = clinic.staff(office_admin_of=frozenset({clinic.office_id}))

    report = await told(reporting, own)

    assert (report["month"], report["smallCellsTold"]) == ("2026-03-01", True)
    (office,) = report["offices"]
    assert office["office"]["id"] == str(clinic.office_id)
    assert office["figures"] == report["total"]
    total = report["total"]
    assert (total["received"], total["completed"], total["declined"]) == (3, 2, 1)
    assert total["toAcknowledge"] == {"medianHours": 2.0, "p90Hours": 2.0}
    assert total["toComplete"] == {"medianHours": 24.0, "p90Hours": 24.0}
    assert report["declinedByReason"] == [{"reasonCode": "AGE", "count": 1}]
    assert report["asOf"].startswith("2026-04-01T04:00:00")


async def test_a_client_admin_is_told_no_small_cell_and_nothing_that_would_tell_it(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    small = uuid4()
    await work(clinic, completed=8, declined=6)
    await work(clinic, completed=2, declined=0, office=small)
    await reporting.running.set_time(NEXT_MONTH)

    report = await told(reporting, clinic.admin)
    offices = {one["office"]["id"]: one["figures"] for one in report["offices"]}

    assert report["smallCellsTold"] is False
    assert (report["total"]["completed"], report["total"]["declined"]) == (10, 6)
    assert offices[str(small)]["completed"] is offices[str(clinic.office_id)]["completed"] is None
    assert (offices[str(small)]["declined"], offices[str(clinic.office_id)]["declined"]) == (0, 6)
    assert offices[str(small)]["toComplete"] is None
    assert report["declinedByReason"] == [{"reasonCode": "AGE", "count": 6}]


async def test_a_provider_reads_the_own_numbers_and_nobody_elses(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31: small ones too, as of people whom they see; and what they sent is not told, for it is known by office only."""
    mine, sender = uuid4(), clinic.organization_id
    for provider_id in (mine, uuid4(), None):
        story = Story(clinic, None, sender=sender, provider_id=provider_id)
        story.sending_office_id, story.acceptance = clinic.office_id, "ACCEPTED"
        await (await story.sent(NOON)).declined(NOON + HOUR, "AGE")
    await reporting.running.set_time(NEXT_MONTH)

    report = await told(reporting, clinic.staff(provider_id=mine))

    assert (report["total"]["received"], report["total"]["declined"]) == (1, 1)
    assert [one["provider"]["id"] for one in report["providers"]] == [str(mine)]
    assert report["declinedByReason"] == [{"reasonCode": "AGE", "count": 1}]
    assert report["leakage"] == {"sent": None, "outside": None, "rate": None}
    assert (report["leakageByPlan"], report["smallCellsTold"]) == ([], True)
    assert await code(reporting, HYGIENE, clinic.staff(provider_id=mine)) == "FORBIDDEN"


async def test_who_reads_performance(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    await reporting.running.set_time(NEXT_MONTH)
    for stranger in (
        clinic.staff(office_staff_of=frozenset({clinic.office_id})),
        clinic.staff(insurance_manager=True),
    ):
        assert await code(reporting, PERFORMANCE, stranger, month="2026-03-01") == "FORBIDDEN"
    looks = clinic.staff(reporting_only=True)
    assert (await told(reporting, looks))["total"]["received"] == 0
    early = await code(reporting, PERFORMANCE, clinic.admin, month="1999-12-31")
    late = await code(reporting, PERFORMANCE, clinic.admin, month="2026-05-01")
    assert early == late == "BAD_USER_INPUT"


async def test_leakage_is_told_by_plan_with_why(reporting: Reporting, clinic: Clinic) -> None:
    """R28, R31"""
    plan, other = uuid4(), uuid4()
    for number in range(12):
        story = Story(clinic, None, sender=clinic.organization_id)
        story.sending_office_id, story.acceptance = clinic.office_id, "ACCEPTED"
        story.plan_id = str(plan if number < 9 else other)
        if number < 6:
            story.acceptance, story.outside_plan_reason = "NOT_LISTED", "PATIENT_WISH"
        await story.sent(NOON)
    await reporting.running.set_time(NEXT_MONTH)
    own = clinic.staff(office_admin_of=frozenset({clinic.office_id}))

    everything, without_patients = await told(reporting, own), await told(reporting, clinic.admin)

    assert everything["leakage"] == {"sent": 12, "outside": 6, "rate": {"percent": 50.0}}
    by_plan = [(one["plan"]["id"], one["leakage"]) for one in everything["leakageByPlan"]]
    assert by_plan == [
        (str(plan), {"sent": 9, "outside": 6}),
        (str(other), {"sent": 3, "outside": 0}),
    ]
    assert everything["outsidePlanReasons"] == [{"reasonCode": "PATIENT_WISH", "count": 6}]
    assert without_patients["leakage"]["outside"] == 6
    assert [one["leakage"]["sent"] for one in without_patients["leakageByPlan"]] == [None, None]


# Hygiene --------------------------------------------------------------------------------------------------------------


async def say(clinic: Clinic, fact: Message, aggregate: str, about: UUID, at: datetime) -> None:
    neighbours = clinic.reporting.neighbours
    await neighbours.say(fact, clinic.organization_id, aggregate, about, at)


async def invited(clinic: Clinic, at: datetime, *, works: bool = True) -> UUID:
    """Somebody who has not confirmed."""
    user = uuid4()
    await say(clinic, identity.UserInvited(user_id=str(user)), "user", user, at)
    if works:
        granted = identity.RoleGranted(
            user_id=str(user), role="OFFICE_STAFF", office_id=str(clinic.office_id)
        )
        await say(clinic, granted, "user", user, at)
    return user


async def live(clinic: Clinic, office: UUID, name: str = "Elm") -> None:
    planned = directory.OfficePlanned(office_id=str(office), name=name, time_zone="UTC")
    await say(clinic, planned, "office", office, NOON)
    await say(clinic, directory.OfficeLive(office_id=str(office)), "office", office, NOON)


async def test_account_hygiene_names_unconfirmed_and_inactive_accounts_and_uncovered_offices(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R04, R07, R18"""
    elsewhere = uuid4()
    await live(clinic, clinic.office_id)
    await live(clinic, elsewhere)
    waiting, gone = await invited(clinic, NOON), await invited(clinic, NOON - DAY, works=False)
    deactivated = identity.UserDeactivated(user_id=str(gone), because="INACTIVE")
    await say(clinic, deactivated, "user", gone, NOON + DAY)

    async def report(viewer: Viewer) -> dict[str, Any]:
        data = await reporting.running.data(HYGIENE, {}, viewer=viewer)
        found: dict[str, Any] = data["accountHygieneReport"]
        return found

    whole = await report(clinic.admin)
    own = await report(clinic.staff(office_admin_of=frozenset({clinic.office_id})))
    await say(clinic, identity.UserConfirmed(user_id=str(waiting)), "user", waiting, NOON + DAY)
    later = await report(clinic.admin)

    assert [one["user"]["id"] for one in whole["unconfirmed"]["oldest"]] == [str(waiting)]
    assert [one["user"]["id"] for one in whole["inactive"]["oldest"]] == [str(gone)]
    assert {one["id"] for one in whole["uncoveredOffices"]} == {
        str(clinic.office_id),
        str(elsewhere),
    }
    assert own["unconfirmed"]["count"] == 1
    assert own["inactive"]["count"] == 0
    assert own["uncoveredOffices"] == [{"id": str(clinic.office_id)}]
    assert later["unconfirmed"]["count"] == 0
    assert later["uncoveredOffices"] == [{"id": str(elsewhere)}]
    staff = clinic.staff(office_staff_of=frozenset({clinic.office_id}))
    assert await code(reporting, HYGIENE, staff) == "FORBIDDEN"


async def test_directory_accuracy_tells_how_old_each_verification_is(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R27, R29"""
    await reporting.running.set_time(NEXT_MONTH)
    for verified in ("2026-04-19", "2026-03-20", "2026-02-10", "2025-12-01", ""):
        row = uuid4()
        fact = insurance.ParticipationAdded(
            participation_id=str(row),
            provider_id=str(uuid4()),
            office_id=str(clinic.office_id),
            plan_id=str(uuid4()),
            effective_from="2025-01-01",
            verified_on=verified,
        )
        await say(clinic, fact, "participation", row, NOON)
    kept, removed = uuid4(), uuid4()
    for provider in (kept, removed):
        approved = directory.ProviderApproved(provider_id=str(provider))
        await say(clinic, approved, "provider", provider, NEXT_MONTH - 40 * DAY)
    gone = directory.ProviderRemoved(provider_id=str(removed))
    await say(clinic, gone, "provider", removed, NEXT_MONTH)

    manager = clinic.staff(insurance_manager=True)
    data = await reporting.running.data(ACCURACY, {}, viewer=manager)

    report = data["directoryAccuracyReport"]
    listed = report["participations"]
    assert [listed[age] for age in ("within30Days", "within60Days", "within90Days")] == [1, 1, 1]
    assert (listed["stale"], listed["never"]) == (1, 1)
    assert listed["fresh"] == {"part": 3, "whole": 5, "percent": 60.0}
    assert report["profiles"]["within60Days"] == report["profiles"]["fresh"]["whole"] == 1
    assert [one["office"]["id"] for one in report["offices"]] == [str(clinic.office_id)]


async def test_an_insurance_manager_of_an_office_reads_how_its_plans_are_kept_and_no_more(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R26, R31: the matrix's "INS only", at the offices that are kept."""
    await reporting.running.set_time(NEXT_MONTH)
    elsewhere = uuid4()
    for office_id in (clinic.office_id, elsewhere):
        fact = insurance.ParticipationAdded(
            participation_id=str(uuid4()),
            provider_id=str(uuid4()),
            office_id=str(office_id),
            plan_id=str(uuid4()),
            effective_from="2025-01-01",
            verified_on="2026-04-19",
        )
        await say(clinic, fact, "participation", UUID(fact.participation_id), NOON)
    keeper = clinic.staff(insurance_manager_of=frozenset({clinic.office_id}))

    data = await reporting.running.data(ACCURACY, {}, viewer=keeper)

    report = data["directoryAccuracyReport"]
    assert report["participations"]["fresh"]["whole"] == 1
    assert [one["office"]["id"] for one in report["offices"]] == [str(clinic.office_id)]
    for other in (HYGIENE, REVIEWS):
        assert await code(reporting, other, keeper) == "FORBIDDEN"
    assert await code(reporting, PERFORMANCE, keeper, month="2026-03-01") == "FORBIDDEN"


async def test_insurance_reviews_tell_their_progress(reporting: Reporting, clinic: Clinic) -> None:
    """R29"""
    campaign = uuid4()
    opened = insurance.CampaignOpened(
        campaign_id=str(campaign), kind="YEAR_START", items=3, due_on="2026-01-31"
    )
    escalated = insurance.CampaignEscalated(campaign_id=str(campaign), open_items=2)
    attested = insurance.CampaignItemAttested(campaign_id=str(campaign))
    for fact in (opened, attested, escalated):
        await say(clinic, fact, "campaign", campaign, NOON)

    async def report(viewer: Viewer) -> list[dict[str, Any]]:
        data = await reporting.running.data(REVIEWS, {}, viewer=viewer)
        found: list[dict[str, Any]] = data["insuranceReviewReport"]
        return found

    (running,) = await report(clinic.staff(insurance_manager=True))
    closed = insurance.CampaignClosed(campaign_id=str(campaign), because="DONE")
    await say(clinic, closed, "campaign", campaign, NOON + DAY)
    (over,) = await report(clinic.admin)

    assert running["progress"] == {"part": 1, "whole": 3, "percent": 33.3}
    assert running["escalatedAt"] is not None
    assert over["closedBecause"] == "DONE"
    own = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    assert await code(reporting, REVIEWS, own) == "FORBIDDEN"


async def test_a_provider_works_at_an_office_until_its_organizations_midnight(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R27: ten in the evening in New York is two in the morning of the day after in UTC."""
    await reporting.running.set_time(datetime(2026, 4, 21, 2, tzinfo=UTC))
    placement, provider = uuid4(), uuid4()
    placed = directory.PlacementAdded(
        placement_id=str(placement),
        provider_id=str(provider),
        office_id=str(clinic.office_id),
        effective_until="2026-04-21",
    )
    await say(clinic, placed, "placement", placement, NOON)
    approved = directory.ProviderApproved(provider_id=str(provider))
    await say(clinic, approved, "provider", provider, NEXT_MONTH)

    own = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    data = await reporting.running.data(ACCURACY, {}, viewer=own)

    assert data["directoryAccuracyReport"]["on"] == "2026-04-20"
    assert data["directoryAccuracyReport"]["profiles"]["within30Days"] == 1
