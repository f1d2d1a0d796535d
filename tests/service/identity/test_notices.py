"""Mail about work: who gets it and when, what people choose, and what is never mailed twice, too late or to the wrong people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.message import Message

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import (
    GroupAdded,
    GroupStaffed,
    OfficeGoLiveMissed,
    TaskClosed,
    TaskRaised,
)
from proto.insurance.v1.events_pb2 import (
    CampaignAssigned,
    CampaignEscalated,
    CampaignReminded,
    ManagerMissing,
)
from proto.referrals.v1.events_pb2 import (
    OffboardingCaseReady,
    OffboardingCaseReopened,
    ReferralAcknowledged,
    ReferralAppointmentPassed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralForwarded,
    ReferralOutcomeAttached,
    ReferralOverdue,
    ReferralReassigned,
    ReferralSent,
    ReferralState,
)
from proto.reporting.v1.events_pb2 import ReportPublished, ReportReviewDue
from services.identity.actions import mail_notices
from tests.service.identity import asking
from tests.service.identity.asking import about, role
from tests.service.identity.conftest import Identity, Organization, an_email, new_organization
from tests.support.eventually import eventually
from tests.support.facts import Neighbours

FIVE_MINUTES = timedelta(minutes=5, seconds=1)
A_DAY = timedelta(days=1)
MARK = "notice preferences"
"""Words that only mail about work has."""

PREFERENCES = "{ noticePreferences { kind delivery byDefault optional } }"
CHANGE = f"""mutation($input: ChangeNoticePreferenceInput!) {{ changeNoticePreference(input: $input) {{
    __typename {asking.PROBLEM} ... on NoticePreferenceChanged {{ preferences {{ kind delivery }} }} }} }}"""


@dataclass
class Case:
    """An organization with an office of a name, somebody at work there, and what its neighbours say."""

    identity: Identity
    here: Organization
    staff: Viewer
    said: Neighbours
    group: UUID | None = None
    events: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The suite's time."""
        return self.identity.running.parts.clock.now()

    async def say(
        self, aggregate: str, about_id: UUID, *facts: Message, at: datetime | None = None
    ) -> None:
        """Facts of one thing, each heard twice."""
        for fact in facts:
            event = await self.said.say(fact, self.here.id, aggregate, about_id, at or self.now)
            await self.said.repeat(event)
            self.events.append(event)

    def state(self, side: str = "RECEIVING", **more: str) -> ReferralState:
        """A referral of the office, on one side of it."""
        mine, other = ("receiving", "sending") if side == "RECEIVING" else ("sending", "receiving")
        known: dict[str, Any] = {
            f"{mine}_organization_id": str(self.here.id),
            f"{mine}_office_id": str(self.here.office),
            f"{other}_organization_id": str(uuid4()),
            f"{other}_office_id": str(uuid4()),
        }
        return ReferralState(side=side, **{**known, **more})

    async def sent(self, count: int = 1, **more: str) -> None:
        """So many new referrals."""
        for _ in range(count):
            await self.say("referral", uuid4(), ReferralSent(referral=self.state(**more)))

    async def mail(self, who: Viewer, admin: Viewer | None = None) -> list[EmailMessage]:
        """The mail about work that somebody got, the oldest first."""
        user = await self.identity.user(who.user_id, admin or self.here.admin)
        return [
            letter
            for address, letter in self.identity.mailbox.letters
            if address == user["email"] and MARK in text(letter)
        ]

    async def subjects(self, who: Viewer) -> list[str]:
        """Their subjects."""
        return [str(one["Subject"]) for one in await self.mail(who)]

    async def choose(self, who: Viewer, kind: str, delivery: str) -> dict[str, Any]:
        """What choosing answers."""
        input_ = {"kind": kind, "delivery": delivery}
        return await self.identity.mutate(CHANGE, input_, who)

    async def later(self, by: timedelta = FIVE_MINUTES) -> None:
        """Time goes by, and what became due is done."""
        await self.identity.running.advance(by)


def text(letter: EmailMessage) -> str:
    """The words as plain text."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def _case(identity: Identity, here: Organization) -> Case:
    identity.directory.names[here.office] = "Birch Street"
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    return Case(identity, here, staff, Neighbours(identity.running))


@pytest.fixture
async def case(identity: Identity, here: Organization) -> Case:
    """An organization of this test alone."""
    return await _case(identity, here)


# Who is told ----------------------------------------------------------------------------------------------------------


async def test_new_referrals_of_a_few_minutes_are_one_mail_to_those_who_work_there(
    identity: Identity, case: Case
) -> None:
    """R02: staff and admins of the office; not client admins, not who works elsewhere, nobody of another organization."""
    here = case.here
    elsewhere = identity.new_office(here.id)
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    other = await identity.member(here, role("OFFICE_STAFF", elsewhere))
    there = await new_organization(identity, "Hillside")
    stranger = await identity.member(there, role("OFFICE_STAFF", there.office))
    await case.sent(2)
    await case.later(timedelta(minutes=4))
    await case.sent()

    assert await case.subjects(case.staff) == []
    await case.later(timedelta(minutes=2))
    await case.later()
    assert await case.subjects(case.staff) == ["Birch Street: 3 new referrals"]
    assert len(await case.mail(office_admin)) == 1
    assert [await case.mail(one) for one in (here.admin, other)] == [[], []]
    assert await case.mail(stranger, there.admin) == []
    assert await case.mail(there.admin, there.admin) == []


async def test_mail_about_work_has_two_forms_a_link_and_nothing_about_the_referral(
    case: Case,
) -> None:
    """No PHI: counts, names of offices and the suite's address; no id of anything."""
    await case.sent()
    await case.later()
    (letter,) = await case.mail(case.staff)
    whole = letter.as_string()

    assert letter.get_content_type() == "multipart/alternative"
    assert case.identity.running.parts.peers.post.public_url in text(letter)
    for name in ("Message-ID", "Date"):
        del letter[name]
    ids = [str(case.here.id), str(case.here.office)] + [one.decode() for _, one in case.events]
    for one in ids:
        assert one not in whole
    for subject, _ in case.events:
        assert subject not in whole


async def test_staff_of_a_group_are_told_of_its_work_and_no_more_once_they_left_it(
    identity: Identity, case: Case
) -> None:
    """R21"""
    group = uuid4()
    clerk, leaver = [await identity.member(case.here) for _ in range(2)]
    both = [str(clerk.user_id), str(leaver.user_id)]
    await case.say(
        "group",
        group,
        GroupAdded(group_id=str(group), office_ids=[str(case.here.office)]),
        GroupStaffed(group_id=str(group), staff_user_ids=both),
    )
    await case.sent(receiving_group_id=str(group))
    await case.say("group", group, GroupStaffed(group_id=str(group), staff_user_ids=both[:1]))
    await case.later()

    assert len(await case.mail(clerk)) == 1
    assert await case.mail(leaver) == []


async def test_each_side_is_told_what_is_its_own(case: Case) -> None:
    """R02: the sender of what was declined and what came of it, the receiver of what was cancelled and waits for a word."""
    sending, receiving = case.state("SENDING"), case.state("RECEIVING")
    facts: list[tuple[Message, str]] = [
        (ReferralDeclined(referral=sending, reason_code="NO_CAPACITY"), "1 referral was declined"),
        (ReferralCancelled(referral=receiving), "1 referral was cancelled"),
        (ReferralOverdue(referral=receiving, overdue="DECIDE"), "1 referral is overdue"),
        (ReferralAppointmentPassed(referral=receiving), "please report attendance"),
        (ReferralOutcomeAttached(referral=sending), "1 referral has news of its outcome"),
    ]
    others: list[Message] = [
        ReferralDeclined(referral=receiving),
        ReferralCancelled(referral=sending),
        ReferralOverdue(referral=sending),
        ReferralAppointmentPassed(referral=sending),
        ReferralCompleted(referral=receiving),
        ReferralSent(referral=sending),
    ]
    for fact in [*(one for one, _ in facts), *others]:
        await case.say("referral", uuid4(), fact)
    await case.later(A_DAY)
    told = "\n".join(map(text, await case.mail(case.staff)))

    assert sorted(told.count(words) for _, words in facts) == [1] * len(facts)
    assert told.count("Birch Street:") == len(facts)


async def test_what_moves_is_news_where_it_arrives(identity: Identity, case: Case) -> None:
    """R13"""
    here, annex = case.here, identity.new_office(case.here.id)
    there = await identity.member(here, role("OFFICE_STAFF", annex))
    moved, left = uuid4(), uuid4()
    at_annex = case.state(receiving_office_id=str(annex))
    for one in (moved, left):
        await case.say("referral", one, ReferralSent(referral=case.state()))
    await case.say(
        "referral",
        moved,
        ReferralReassigned(referral=at_annex, from_office_id=str(here.office)),
        ReferralReassigned(referral=at_annex, from_office_id=str(annex)),
    )
    leaving = case.state()
    gone = ReferralForwarded(referral=leaving, from_office_id=leaving.receiving_office_id)
    await case.say("referral", left, gone)
    await case.later()

    assert len(await case.mail(there)) == 1
    assert await case.mail(case.staff) == []


async def test_a_sender_acts_for_a_receiver_who_is_not_in_the_suite(case: Case) -> None:
    """R02: whose office gets no mail about it."""
    for side in ("SENDING", "RECEIVING"):
        outside = case.state(side)
        outside.externally_managed = True
        await case.say(
            "referral", uuid4(), ReferralSent(referral=outside), ReferralOverdue(referral=outside)
        )
    await case.later(A_DAY)
    (letter,) = await case.mail(case.staff)

    assert "Birch Street: 1 referral is overdue." in text(letter)
    assert "new" not in text(letter).partition("Sign in")[0].removeprefix("New")


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
    campaign, mine = uuid4(), str(manager.user_id)
    for fact in (
        CampaignAssigned(campaign_id=str(campaign), user_id=mine),
        CampaignReminded(campaign_id=str(campaign), open_items=3, user_ids=[mine]),
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
    assert await case.mail(other) == []
    assert [one.partition(": ")[2] for one in await case.subjects(case.here.admin)] == [
        "1 review of accepted insurance plans was not finished when it was due",
        "plans are listed, and nobody is insurance manager",
    ]


async def test_reports_are_told_to_those_who_read_them(identity: Identity, case: Case) -> None:
    """R31"""
    here, group = case.here, uuid4()
    looker = await identity.member(here, role("REPORTING_ONLY"))
    elsewhere = await identity.member(here, role("OFFICE_ADMIN", identity.new_office(here.id)))
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    added = GroupAdded(group_id=str(group), office_ids=[str(here.office)])
    await case.say("group", group, added)
    await case.say("report", uuid4(), ReportPublished(group_id=str(group)))
    await case.say("report", uuid4(), ReportReviewDue(group_id=str(group)))
    await case.later(A_DAY)

    for reader in (here.admin, looker, office_admin):
        (letter,) = await case.mail(reader)
        assert "1 new progress report." in text(letter)
        assert "1 progress report waits for its review." in text(letter)
    assert [await case.mail(one) for one in (elsewhere, case.staff)] == [[], []]


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


# What is not told -----------------------------------------------------------------------------------------------------


async def test_what_was_dealt_with_before_the_mail_left_is_not_told(case: Case) -> None:
    done, open_ = uuid4(), uuid4()
    for one in (done, open_):
        await case.say("referral", one, ReferralSent(referral=case.state()))
    await case.say("referral", done, ReferralAcknowledged(referral=case.state()))
    await case.later()

    assert await case.subjects(case.staff) == ["Birch Street: 1 new referral"]


async def test_what_was_sent_again_came_not_back(case: Case) -> None:
    """R02: nor is somebody told that is at another receiver by now."""
    referral = uuid4()
    again, declined = case.state("SENDING"), case.state("SENDING")
    again.hop = 2
    await case.say(
        "referral", referral, ReferralDeclined(referral=declined), ReferralSent(referral=again)
    )
    await case.later()

    assert await case.mail(case.staff) == []


async def test_old_facts_are_no_news(case: Case) -> None:
    """C07: a replay from zero mails nobody."""
    event = ReferralSent(referral=case.state())
    await case.say("referral", uuid4(), event, at=case.now - timedelta(hours=24))
    await case.later(A_DAY)

    assert await case.mail(case.staff) == []


async def test_a_fact_whose_inbox_is_lost_is_not_mailed_twice(
    identity: Identity, case: Case
) -> None:
    """C07: the event and the user are a key of their own."""
    referral = uuid4()
    await case.say("referral", referral, ReferralSent(referral=case.state()))
    await case.later()
    await identity.running.sql.execute("DELETE FROM inbox")
    await identity.running.sql.execute(
        "DELETE FROM inbox_sequences WHERE aggregate_id = $1", referral
    )
    assert await case.said.repeat(case.events[-1])
    await case.later()

    assert len(await case.mail(case.staff)) == 1


@pytest.mark.parametrize("delivery", ["AT_ONCE", "DAILY_DIGEST"])
async def test_who_was_deactivated_or_lost_the_office_meanwhile_gets_nothing(
    identity: Identity, case: Case, delivery: str
) -> None:
    """R07: judged anew when the mail is made."""
    here = case.here
    leaver, moved = [
        await identity.member(here, role("OFFICE_STAFF", here.office)) for _ in range(2)
    ]
    for one in (leaver, moved, case.staff):
        await case.choose(one, "NEW_REFERRALS", delivery)
    await case.sent()
    user = await identity.user(leaver.user_id, here.admin)
    assert (await identity.mutate(asking.DEACTIVATE, about(user), here.admin)).get("user")
    user = await identity.user(moved.user_id, here.admin)
    gone = about(user, **role("OFFICE_STAFF", here.office))
    assert (await identity.mutate(asking.REVOKE, gone, here.admin)).get("user")
    await case.later()
    await case.later(A_DAY)

    assert len(await case.mail(case.staff)) == 1
    assert [await case.mail(one) for one in (leaver, moved)] == [[], []]


async def test_who_has_not_confirmed_or_left_before_is_told_nothing(
    identity: Identity, case: Case
) -> None:
    """R04"""
    email = an_email()
    await identity.invite(case.here.admin, email, role("OFFICE_STAFF", case.here.office))
    user = await identity.user(case.staff.user_id, case.here.admin)
    agreed = about(user, acknowledgeUncovered=True, successorId=str(case.here.admin.user_id))
    assert (await identity.mutate(asking.DEACTIVATE, agreed, case.here.admin)).get("user")
    await case.sent()
    await case.later()

    assert [one for one in identity.mailbox.to(email) if MARK in one] == []
    assert await case.mail(case.staff) == []


# Choosing -------------------------------------------------------------------------------------------------------------


async def test_everybody_sees_how_they_are_told_and_changes_it_for_themselves_alone(
    identity: Identity, case: Case
) -> None:
    """R02: also who may change nothing else."""
    looker = await identity.member(case.here, role("REPORTING_ONLY"))
    changed = await case.choose(looker, "REPORTS", "OFF")
    before = await identity.running.data(PREFERENCES, viewer=case.staff)
    after = await identity.running.data(PREFERENCES, viewer=looker)
    listed = {one["kind"]: one for one in after["noticePreferences"]}

    assert changed["__typename"] == "NoticePreferenceChanged"
    assert listed["REPORTS"]["delivery"] == "OFF"
    assert listed["REPORTS"]["byDefault"] == "DAILY_DIGEST"
    assert [kind for kind, one in listed.items() if not one["optional"]] == [
        "CALL_CENTRE",
        "ACCOUNT_SECURITY",
    ]
    assert all(one["delivery"] == one["byDefault"] for one in before["noticePreferences"])
    acts = await identity.running.sql.fetch(
        "SELECT about FROM audit_entries WHERE act = 'user.notice_preference_changed'"
        " AND organization_id = $1",
        case.here.id,
    )
    assert [row["about"] for row in acts] == [looker.user_id]


@pytest.mark.parametrize("kind", ["ACCOUNT_SECURITY", "CALL_CENTRE"])
@pytest.mark.parametrize("delivery", ["OFF", "DAILY_DIGEST"])
async def test_what_is_about_security_cannot_be_switched_off(
    case: Case, kind: str, delivery: str
) -> None:
    """R10: nor can the call centre's notice be put off, which is to be there within the minute."""
    refused = await case.choose(case.staff, kind, delivery)

    assert (refused["__typename"], refused["code"]) == ("ConflictProblem", "NOTICE_NOT_OPTIONAL")


async def test_support_has_no_notices_to_choose(identity: Identity) -> None:
    answer = await identity.running.gql(PREFERENCES, viewer=identity.support)

    assert answer["data"]["noticePreferences"] is None
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_is_switched_off_is_not_mailed_even_if_it_waits(case: Case) -> None:
    await case.sent()
    await case.choose(case.staff, "NEW_REFERRALS", "OFF")
    await case.later()
    await case.sent()
    await case.later(A_DAY)

    assert await case.mail(case.staff) == []


async def test_a_choice_holds_in_its_own_organization_alone(identity: Identity, case: Case) -> None:
    """R03: one person, two memberships."""
    there = await new_organization(identity, "Hillside")
    identity.directory.names[there.office] = "Elm Road"
    email = (await identity.user(case.staff.user_id, case.here.admin))["email"]
    await identity.invite(there.admin, email, role("OFFICE_STAFF", there.office))
    await case.choose(case.staff, "NEW_REFERRALS", "OFF")
    other = Case(identity, there, case.staff, Neighbours(identity.running))
    await case.sent()
    await other.sent()
    await case.later()

    assert await other.subjects(case.staff) == ["Elm Road: 1 new referral"]


# The digest -----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def no_time_is_lost(identity: Identity) -> AsyncIterator[None]:
    """The clock is where it was when the test is over."""
    offset = identity.running.parts.clock.offset
    yield
    await identity.running.advance(offset - identity.running.parts.clock.offset)


@pytest.mark.usefixtures("no_time_is_lost")
@pytest.mark.parametrize(
    ("zone", "heard", "seven"),
    [
        ("America/New_York", "2027-03-13T20:00", "2027-03-14T11:00"),
        ("America/New_York", "2027-11-06T20:00", "2027-11-07T12:00"),
        ("Pacific/Auckland", "2027-06-10T12:00", "2027-06-10T19:00"),
        ("Asia/Kathmandu", "2027-06-10T01:14", "2027-06-10T01:15"),
    ],
    ids=["into summer", "into winter", "tomorrow there is today here", "odd quarter"],
)
async def test_the_digest_leaves_at_seven_of_the_organizations_own_morning(
    identity: Identity, zone: str, heard: str, seven: str
) -> None:
    """C06"""
    leaves = datetime.fromisoformat(seven).replace(tzinfo=UTC)
    await identity.running.set_time(datetime.fromisoformat(heard).replace(tzinfo=UTC))
    added = await identity.mutate(
        asking.ADD_ORGANIZATION,
        asking.organization("Lakeside Care", email := an_email(), zone),
        identity.support,
    )
    here_id = UUID(added["organization"]["id"])
    admin = await identity.confirm(email)
    here = Organization(here_id, "Lakeside Care", admin, identity.new_office(here_id))
    case = await _case(identity, here)
    overdue = ReferralOverdue(referral=case.state())
    await case.say("referral", uuid4(), overdue)
    await case.say("referral", uuid4(), overdue)
    await identity.running.set_time(leaves - timedelta(seconds=20))
    early = await case.mail(case.staff)
    await identity.running.set_time(leaves)
    await identity.jobs()

    assert early == []
    assert await case.subjects(case.staff) == ["Daily: Birch Street: 2 referrals are overdue"]


async def test_however_many_replicas_make_up_a_digest_it_is_one_mail(
    identity: Identity, case: Case
) -> None:
    """C15"""
    people = [
        await identity.member(case.here, role("OFFICE_STAFF", case.here.office)) for _ in range(3)
    ]
    for _ in range(4):
        await case.say("referral", uuid4(), ReferralOverdue(referral=case.state()))
    parts = identity.running.parts
    await identity.running.sql.execute(
        "UPDATE notices SET due_at = noted_at WHERE organization_id = $1", case.here.id
    )
    await asyncio.gather(*(mail_notices(parts.call()) for _ in range(4)))
    await identity.jobs()

    for one in (*people, case.staff):
        assert await case.subjects(one) == ["Daily: Birch Street: 4 referrals are overdue"]


async def test_mail_waits_while_directory_is_away(identity: Identity, case: Case) -> None:
    """C12"""
    await case.sent()
    identity.directory.away = True
    await case.later()
    nothing = await case.mail(case.staff)
    identity.directory.away = False
    await identity.jobs()

    assert nothing == []
    assert len(await case.mail(case.staff)) == 1


async def test_what_was_settled_long_ago_is_forgotten(identity: Identity, case: Case) -> None:
    await case.sent()
    await case.later()

    async def left(table: str, whose: str, key: object) -> int:
        count: int = await identity.running.sql.fetchval(
            f"SELECT count(*) FROM {table} WHERE {whose} = $1",  # noqa: S608 - names of this test
            key,
        )
        return count

    told = ("letters", "kind = 'NOTICE' AND user_id", case.staff.user_id)
    assert await left("notices", "organization_id", case.here.id) == 1
    assert await left(*told) == 1
    await case.later(timedelta(days=15))
    assert await left("notices", "organization_id", case.here.id) == 0
    assert await left(*told) == 1
    await case.later(timedelta(days=21))
    assert await left(*told) == 0
    assert await left("letters", "kind = 'INVITATION' AND user_id", case.staff.user_id) == 1
