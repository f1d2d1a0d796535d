"""Mail to providers who sign in, about their own referrals; and to client admins about removals that were asked for beforehand."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import ProviderRemovalHeldUp, ProviderRemoved
from proto.referrals.v1.events_pb2 import (
    ReferralAcknowledged,
    ReferralAppointmentPassed,
    ReferralDeclined,
    ReferralOverdue,
    ReferralReassigned,
    ReferralSent,
)
from tests.service.identity.asking import provider, role
from tests.service.identity.conftest import Identity, Organization
from tests.service.identity.noticing import A_DAY, Case, new_case, text


@pytest.fixture
async def case(identity: Identity, here: Organization) -> Case:
    """An organization of this test alone."""
    return await new_case(identity, here)


async def _provider(case: Case, *more: dict[str, object]) -> tuple[Viewer, str]:
    one = case.identity.new_provider(case.here.id)
    return await case.identity.member(case.here, provider(one), *more), str(one)


async def test_a_provider_is_told_of_the_own_referrals_and_of_nobody_elses(case: Case) -> None:
    """R02, R14: once, also who works at the office."""
    me, mine = await _provider(case)
    both, theirs = await _provider(case, role("OFFICE_STAFF", case.here.office))
    await case.sent(2, receiving_provider_id=mine)
    await case.sent(1, receiving_provider_id=theirs)
    await case.sent(1, receiving_provider_id=str(uuid4()))
    declined = ReferralDeclined(referral=case.state("SENDING", sending_provider_id=mine))
    await case.say("referral", uuid4(), declined)
    await case.later()
    (letter,) = await case.mail(me)

    assert "2 new referrals." in text(letter)
    assert "1 referral was declined." in text(letter)
    assert "Birch Street" not in text(letter)
    assert "Birch Street: 4 new referrals." in text((await case.mail(both))[0])
    assert len(await case.mail(both)) == 1


async def test_what_is_late_and_to_report_on_comes_with_the_provider_s_daily_mail(
    case: Case,
) -> None:
    """R02: as they choose."""
    me, mine = await _provider(case)
    state = case.state(receiving_provider_id=mine)
    await case.choose(me, "OVERDUE", "OFF")
    await case.say("referral", uuid4(), ReferralOverdue(referral=state))
    await case.say("referral", uuid4(), ReferralAppointmentPassed(referral=state))
    await case.later(A_DAY)
    (letter,) = await case.mail(me)

    assert "1 appointment has passed" in text(letter)
    assert "overdue" not in text(letter)


async def test_a_referral_that_goes_to_a_colleague_is_told_to_the_colleague_alone(
    case: Case,
) -> None:
    """R13: who works at the office knows."""
    me, mine = await _provider(case)
    colleague, theirs = await _provider(case)
    office, referral = str(case.here.office), uuid4()
    await case.say(
        "referral", referral, ReferralSent(referral=case.state(hop=1, receiving_provider_id=mine))
    )
    moved = ReferralReassigned(
        referral=case.state(receiving_provider_id=theirs),
        from_office_id=office,
        from_provider_id=mine,
    )
    await case.say("referral", referral, moved)
    await case.later()

    assert await case.mail(me) == []
    assert len(await case.mail(colleague)) == 1
    assert await case.subjects(case.staff) == ["Birch Street: 1 new referral"]


async def test_a_provider_for_whom_a_group_s_referral_was_claimed_is_told(case: Case) -> None:
    """R21."""
    me, mine = await _provider(case)
    group = str(uuid4())
    state = case.state(receiving_group_id=group, receiving_provider_id=mine)
    await case.say("referral", uuid4(), ReferralAcknowledged(referral=state))
    await case.later()

    assert len(await case.mail(me)) == 1
    assert await case.mail(case.staff) == []


async def test_who_is_that_provider_no_more_is_told_nothing(case: Case) -> None:
    """R14: what waits is not told once the provider was removed."""
    me, mine = await _provider(case)
    await case.sent(receiving_provider_id=mine)
    await case.say("provider", UUID(mine), ProviderRemoved(provider_id=mine))
    await case.later()

    assert all("referral" not in text(one) for one in await case.mail(me))


async def test_client_admins_are_told_of_removals_that_were_asked_for_beforehand(
    case: Case,
) -> None:
    """R15: what holds one up, and that it came about; not what somebody has just done."""
    here, one, two, three = case.here, uuid4(), uuid4(), uuid4()
    held = ProviderRemovalHeldUp(provider_id=str(one), because="OFFICES_REMAIN")
    await case.choose(here.admin, "TASKS", "AT_ONCE")
    await case.say("provider", one, held)
    await case.say("provider", two, held)
    asked = {"asked_by": str(here.admin.user_id)}
    await case.say("provider", two, ProviderRemoved(provider_id=str(two), **asked))
    await case.say("provider", three, ProviderRemoved(provider_id=str(three)))
    await case.later()
    (letter,) = await case.mail(here.admin)

    assert "1 provider could not be removed yet." in text(letter)
    assert "1 provider was removed, as had been asked." in text(letter)
    assert await case.mail(case.staff) == []
