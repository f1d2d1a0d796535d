"""The daily digest: when it leaves, once, and what becomes of it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from proto.referrals.v1.events_pb2 import (
    ReferralOverdue,
)
from services.identity.actions import mail_notices
from tests.service.identity import asking
from tests.service.identity.asking import role
from tests.service.identity.conftest import Identity, Organization, an_email
from tests.service.identity.noticing import Case, new_case


@pytest.fixture
async def case(identity: Identity, here: Organization) -> Case:
    """An organization of this test alone."""
    return await new_case(identity, here)


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
    case = await new_case(identity, here)
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
