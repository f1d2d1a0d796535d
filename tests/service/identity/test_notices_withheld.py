"""Mail about work that nobody gets: twice, too late, or to the wrong people; and what people choose for themselves."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from proto.referrals.v1.events_pb2 import (
    ReferralAcknowledged,
    ReferralDeclined,
    ReferralSent,
)
from tests.service.identity import asking
from tests.service.identity.asking import about, role
from tests.service.identity.conftest import Identity, Organization, an_email, new_organization
from tests.service.identity.noticing import A_DAY, MARK, PREFERENCES, Case, new_case
from tests.support.facts import Neighbours


@pytest.fixture
async def case(identity: Identity, here: Organization) -> Case:
    """An organization of this test alone."""
    return await new_case(identity, here)


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


async def test_a_mail_that_cannot_be_made_up_keeps_no_other_waiting(
    identity: Identity, case: Case
) -> None:
    """Whatever is wrong with one user's notices, the others of the organization are told."""
    other = await identity.member(case.here, role("OFFICE_STAFF", case.here.office))
    sql, mine = identity.running.sql, case.staff.user_id
    await case.sent()
    await sql.execute("UPDATE notices SET topic = 'OF_ANOTHER_VERSION' WHERE user_id = $1", mine)
    with pytest.raises(ExceptionGroup):
        await case.later()
    told = await sql.fetch(
        "SELECT user_id FROM notices WHERE mailed AND organization_id = $1", case.here.id
    )
    await sql.execute("DELETE FROM notices WHERE user_id = $1", mine)

    assert [row["user_id"] for row in told] == [other.user_id]
