"""Mail about referrals: who is told what, and in which words."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.message import Message

from proto.directory.v1.events_pb2 import (
    GroupAdded,
    GroupStaffed,
)
from proto.referrals.v1.events_pb2 import (
    ReferralAppointmentPassed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralForwarded,
    ReferralOutcomeAttached,
    ReferralOverdue,
    ReferralReassigned,
    ReferralSent,
)
from tests.service.identity.asking import role
from tests.service.identity.conftest import Identity, Organization, new_organization
from tests.service.identity.noticing import A_DAY, Case, new_case, text


@pytest.fixture
async def case(identity: Identity, here: Organization) -> Case:
    """An organization of this test alone."""
    return await new_case(identity, here)


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
