"""Mail about work to admins, insurance managers and readers of reports."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from proto.directory.v1.events_pb2 import (
    GroupAdded,
    OfficeGoLiveMissed,
    TaskClosed,
    TaskRaised,
)
from proto.identity.v1.events_pb2 import UserDeactivated
from proto.insurance.v1.events_pb2 import (
    CampaignAssigned,
    CampaignEscalated,
    CampaignOpened,
    CampaignReminded,
    ManagerMissing,
)
from proto.referrals.v1.events_pb2 import (
    OffboardingCaseReady,
    OffboardingCaseReopened,
)
from proto.reporting.v1.events_pb2 import (
    FindingClosed,
    FindingRaised,
    GuideAcknowledged,
    GuideAsked,
    GuideWithdrawn,
    ReportPublished,
    ReportReviewDue,
    TrainingAssigned,
    TrainingCancelled,
    TrainingCompleted,
    TrainingOverdue,
    TrainingReminded,
)
from tests.service.identity.asking import GRANT, about, role
from tests.service.identity.conftest import Identity, Organization, an_email
from tests.service.identity.noticing import A_DAY, Case, new_case, text
from tests.support.eventually import eventually


@pytest.fixture
async def case(identity: Identity, here: Organization) -> Case:
    """An organization of this test alone."""
    return await new_case(identity, here)


async def test_admins_are_told_of_offices_that_could_not_open_once_and_of_tasks(
    identity: Identity, case: Case
) -> None:
    """R16, R06: the task that says the same is not told besides."""
    here = case.here
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    missed = OfficeGoLiveMissed(office_id=str(here.office), go_live_on="2026-12-01")
    await case.say("office", here.office, missed)
    task, done = uuid4(), uuid4()
    await case.say(
        "task",
        uuid4(),
        TaskRaised(task_id=str(uuid4()), kind="GO_LIVE_MISSED", subject_id=str(here.office)),
    )
    await case.say(
        "task",
        task,
        TaskRaised(task_id=str(task), kind="GROUP_WITHOUT_STAFF", subject_id=str(task)),
    )
    await case.say(
        "task",
        done,
        TaskRaised(task_id=str(done), kind="PROVIDER_WITHOUT_OFFICE", subject_id=str(done)),
        TaskClosed(task_id=str(done), because="DONE"),
    )
    await case.later()
    await case.later(A_DAY)

    at_once = "Birch Street: 1 office could not open on its first day"
    assert await case.subjects(here.admin) == [
        at_once,
        "Daily: Lakeside Care: 1 new task in the directory",
    ]
    assert await case.subjects(office_admin) == [at_once]
    assert await case.mail(case.staff) == []


async def test_client_admins_are_told_when_a_provider_can_be_removed(case: Case) -> None:
    """R15: and not when something is open again by then."""
    ready, reopened = uuid4(), uuid4()
    for one in (ready, reopened):
        await case.say("offboarding_case", one, OffboardingCaseReady(case_id=str(one)))
    await case.say("offboarding_case", reopened, OffboardingCaseReopened())
    await case.later(A_DAY)

    assert await case.subjects(case.here.admin) == [
        "Daily: Lakeside Care: 1 provider who leaves has nothing open any more"
    ]
    assert await case.mail(case.staff) == []


async def test_campaigns_are_told_to_who_does_them_and_escalated_to_client_admins(
    identity: Identity, case: Case
) -> None:
    """R26, R29."""
    manager, other = [await identity.member(case.here, role("INSURANCE_MANAGER")) for _ in range(2)]
    keeper = await identity.member(case.here, role("INSURANCE_MANAGER", case.here.office))
    campaign, mine = uuid4(), str(manager.user_id)
    reminded = [mine, str(keeper.user_id)]
    for fact in (
        CampaignOpened(campaign_id=str(campaign), office_manager_ids=reminded[1:]),
        CampaignAssigned(campaign_id=str(campaign), user_id=mine),
        CampaignReminded(campaign_id=str(campaign), open_items=3, user_ids=reminded),
        CampaignEscalated(campaign_id=str(campaign), open_items=3),
    ):
        await case.say("campaign", campaign, fact)
        await case.later()
    await case.say("manager", case.here.id, ManagerMissing())
    await case.later()

    assert [one.partition(": ")[2] for one in await case.subjects(manager)] == [
        "1 review of accepted insurance plans is yours to do",
        "1 review of accepted insurance plans is still open",
    ]
    assert [one.partition(": ")[2] for one in await case.subjects(keeper)] == [
        "1 review of accepted insurance plans has begun where you keep them",
        "1 review of accepted insurance plans is still open",
    ]
    assert await case.mail(other) == []
    assert [one.partition(": ")[2] for one in await case.subjects(case.here.admin)] == [
        "1 review of accepted insurance plans was not finished when it was due",
        "plans are listed where nobody is insurance manager",
    ]


async def test_reports_are_told_to_those_who_read_them(identity: Identity, case: Case) -> None:
    """R31, R32."""
    here, group = case.here, uuid4()
    looker = await identity.member(here, role("REPORTING_ONLY"))
    elsewhere = await identity.member(here, role("OFFICE_ADMIN", identity.new_office(here.id)))
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    added = GroupAdded(group_id=str(group), office_ids=[str(here.office)])
    await case.say("group", group, added)
    await case.say("report", uuid4(), ReportPublished(group_id=str(group)))
    await case.say("report", uuid4(), ReportReviewDue(group_id=str(group)))
    closed = uuid4()
    found = FindingRaised(subject="OFFICE", subject_id=str(here.office))
    await case.say("finding", uuid4(), found)
    await case.say("finding", uuid4(), FindingRaised(subject="GROUP", subject_id=str(group)))
    await case.say("finding", closed, found, FindingClosed(finding_id=str(closed)))
    await case.later(A_DAY)

    for reader in (here.admin, looker, office_admin):
        (letter,) = await case.mail(reader)
        assert "Birch Street: 1 rule of the scorecard was missed." in text(letter)
        assert "\n1 rule of the scorecard was missed." in text(letter)
        assert "1 new progress report." in text(letter)
        assert "1 progress report waits for its review." in text(letter)
    assert [await case.mail(one) for one in (elsewhere, case.staff)] == [[], []]


async def test_client_admins_are_told_of_accounts_that_ended_by_themselves(case: Case) -> None:
    """R07: what somebody did, they know."""
    for because in ("INACTIVE", "INACTIVE", "ADMIN"):
        await case.say("user", uuid4(), UserDeactivated(because=because))
    await case.later(A_DAY)

    assert await case.subjects(case.here.admin) == [
        "Daily: Lakeside Care: 2 accounts were ended after 90 days without sign-in"
    ]
    assert await case.mail(case.staff) == []


async def test_trainings_are_told_to_those_who_are_asked_and_have_not_done_them(
    identity: Identity, case: Case
) -> None:
    """R34"""
    quick, spared = [await identity.member(case.here) for _ in range(2)]
    training, cancelled = uuid4(), uuid4()
    asked = [str(one.user_id) for one in (case.staff, quick)]
    await case.say("training", training, TrainingAssigned(user_ids=asked))
    await case.say("training", training, TrainingCompleted(user_id=str(quick.user_id)))
    await case.say("training", cancelled, TrainingAssigned(user_ids=asked), TrainingCancelled())
    await case.later()
    await case.say("training", training, TrainingReminded(user_ids=asked[:1]))
    await case.later()
    await case.say("training", training, TrainingOverdue(user_ids=asked[:1]))
    await case.later()

    assert await case.subjects(case.staff) == [
        "Lakeside Care: 1 training is asked of you",
        "Lakeside Care: 1 training is due soon",
        "Lakeside Care: 1 training is overdue",
    ]
    assert [await case.mail(one) for one in (quick, spared, case.here.admin)] == [[], [], []]


async def test_guides_are_told_once_to_those_whose_they_are_and_who_have_not_read_them(
    identity: Identity, case: Case
) -> None:
    """R30: in the daily mail; a new version is told again, and what is withdrawn or theirs no more is not."""
    quick, left = [await identity.member(case.here) for _ in range(2)]
    guide, withdrawn = uuid4(), uuid4()
    asked = [str(one.user_id) for one in (case.staff, quick, left)]
    await case.say("guide", guide, GuideAsked(number=1, user_ids=asked))
    await case.say("guide", guide, GuideAcknowledged(number=1, user_id=str(quick.user_id)))
    await case.say("guide", guide, GuideAsked(number=1, no_longer_user_ids=[str(left.user_id)]))
    await case.say("guide", withdrawn, GuideAsked(number=1, user_ids=asked), GuideWithdrawn())
    await case.later(A_DAY)
    await case.say("guide", guide, GuideAsked(number=2, user_ids=asked[:1]))
    await case.say("guide", guide, GuideAsked(number=3, user_ids=asked[:1]))
    await case.later(A_DAY)

    told = "Daily: Lakeside Care: 1 guide is yours to read"
    assert await case.subjects(case.staff) == [told, told]
    assert [await case.mail(one) for one in (quick, left, case.here.admin)] == [[], [], []]


async def test_everybody_is_told_when_their_roles_change_once_for_many_changes(
    identity: Identity, case: Case
) -> None:
    """R08: not who has just come, whose letter says so."""
    here = case.here
    await case.later()
    for office in (identity.new_office(here.id), identity.new_office(here.id)):
        user = await identity.user(case.staff.user_id, here.admin)
        wanted = about(user, **role("OFFICE_ADMIN", office))
        assert (await identity.mutate(GRANT, wanted, here.admin)).get("user")

    async def waiting() -> bool:
        count: int = await identity.running.sql.fetchval(
            "SELECT count(*) FROM notices WHERE organization_id = $1", here.id
        )
        return count == 2

    await eventually(waiting)
    await case.later()
    assert await case.subjects(case.staff) == ["Lakeside Care: your roles have changed"]
    assert await case.mail(here.admin) == []


async def test_invitations_that_nobody_took_are_told_to_the_admins(
    identity: Identity, case: Case
) -> None:
    """R03, R04: identity hears of its own facts."""
    here = case.here
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    bounced = an_email()
    identity.mailbox.bouncing.add(bounced)
    for email in (an_email(), bounced):
        await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    await identity.jobs()
    await case.later(timedelta(hours=48, seconds=1))

    async def waiting() -> bool:
        count: int = await identity.running.sql.fetchval(
            "SELECT count(*) FROM notices WHERE organization_id = $1", here.id
        )
        return count == 6

    await eventually(waiting)
    await case.later(A_DAY)
    for admin in (here.admin, office_admin):
        told = "\n".join(map(text, await case.mail(admin)))
        assert told.count("1 invitation did not arrive.") == 1
        assert told.count("2 invitations have run out.") == 1
    assert await case.mail(case.staff) == []
