"""Ninety days without sign-in."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.service.identity.asking import ADD_PARTNER, role
from tests.service.identity.conftest import SUPPORT, Identity, Organization, an_email

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def time_back(identity: Identity) -> AsyncIterator[None]:
    """Let the next test begin in the present."""
    yield
    await identity.running.set_time(identity.running.parts.clock.real())


async def test_ninety_days_without_sign_in_deactivate_after_a_warning(
    identity: Identity, here: Organization
) -> None:
    """R07: warned 14 days before, deactivated at 90 days, and not before."""
    email = an_email()
    user = (await identity.invite(here.admin, email, role("CALL_CENTRE")))["user"]
    await identity.confirm(email)
    mails = len(identity.mailbox.to(email))

    await identity.running.advance(75 * DAY)
    early = len(identity.mailbox.to(email))
    await identity.running.advance(DAY + DAY / 24)
    await identity.jobs()
    warned = identity.mailbox.to(email)[early:]
    await identity.running.advance(13 * DAY)
    before = await identity.user(user["id"], here.admin)
    await identity.running.advance(DAY)
    after = await identity.user(user["id"], here.admin)

    assert early == mails
    assert len(warned) == 1
    assert "is about to end" not in warned[0], "that is its subject"
    assert "sign in before then" in warned[0]
    assert (before["status"], after["status"]) == ("ACTIVE", "DEACTIVATED")
    told = [data for name, data in await identity.told(here.id) if name == "user.deactivated.v1"]
    assert {"userId": user["id"], "because": "INACTIVE"} in told
    assert (await identity.sign_in(email))["code"] == "ACCOUNT_DEACTIVATED"


async def test_whoever_signs_in_in_time_stays(identity: Identity, here: Organization) -> None:
    """R07"""
    email = an_email()
    user = (await identity.invite(here.admin, email))["user"]
    await identity.confirm(email)

    await identity.running.advance(80 * DAY)
    assert (await identity.sign_in(email))["__typename"] == "SignedIn"
    await identity.running.advance(75 * DAY)

    assert (await identity.user(user["id"], here.admin))["status"] == "ACTIVE"


async def test_who_never_confirmed_is_not_away(identity: Identity, here: Organization) -> None:
    """R04: an invitation that ran out stays visible as such."""
    user = (await identity.invite(here.admin, an_email()))["user"]

    await identity.running.advance(200 * DAY)

    assert (await identity.user(user["id"], here.admin))["status"] == "INVITE_EXPIRED"


async def test_the_last_client_admin_is_not_locked_out_and_support_is_told_once(
    identity: Identity, here: Organization
) -> None:
    """R01: of two who are away one goes, and the last one stays."""
    second = await identity.member(here, role("CLIENT_ADMIN"))

    for _ in range(3):
        await identity.running.advance(77 * DAY)
    await identity.jobs()

    statuses = {
        (await identity.user(one, here.admin))["status"]
        for one in (here.admin.user_id, second.user_id)
    }
    assert statuses == {"ACTIVE", "DEACTIVATED"}
    told = [one for one in identity.mailbox.to(SUPPORT[0]) if here.name in one]
    alerts = [one for one in told if "has been away for 90 days" in one]
    assert len(alerts) >= 1
    mine = await identity.running.sql.fetchval(
        "SELECT count(*) FROM memberships WHERE organization_id = $1 AND alerted_at IS NOT NULL",
        here.id,
    )
    assert mine == 1


async def test_with_who_is_away_the_partners_credentials_end_that_only_they_have_seen(
    identity: Identity, here: Organization
) -> None:
    """R07: nobody did it, so nobody is named."""
    second = await identity.member(here, role("CLIENT_ADMIN"))
    given = {"name": "EHR", "idempotencyKey": "away"}
    added = await identity.mutate(ADD_PARTNER, given, second)
    email = (await identity.user(here.admin.user_id, here.admin))["email"]
    for _ in range(2):
        await identity.running.advance(80 * DAY)
        await identity.sign_in(email)

    row = await identity.running.sql.fetchrow(
        "SELECT removed_at IS NOT NULL AS removed, removed_by FROM partners WHERE id = $1",
        added["partner"]["id"],
    )
    assert (await identity.user(second.user_id, here.admin))["status"] == "DEACTIVATED"
    assert row is not None
    assert tuple(row) == (True, None)
