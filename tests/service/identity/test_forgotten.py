"""Forgotten passwords: by mail for who has one of their own, and the same answer for everybody else."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from kit.auth import ANONYMOUS
from kit.errors import Unauthenticated
from tests.service.identity.asking import DEACTIVATE, NEW_PASSWORD, REQUEST_PASSWORD, about
from tests.service.identity.conftest import (
    PASSWORD,
    SUPPORT,
    TOKEN,
    Identity,
    Organization,
    an_email,
)

ANOTHER = "nine otters drift past the old mill"
MINUTE = timedelta(minutes=1)


async def confirmed(identity: Identity, here: Organization) -> tuple[str, str]:
    """The address and id of a confirmed user."""
    email = an_email()
    user = (await identity.invite(here.admin, email))["user"]
    await identity.confirm_by_link(email)
    return email, user["id"]


async def request(identity: Identity, email: str) -> dict[str, object]:
    """What asking for a new password answers."""
    return await identity.mutate(REQUEST_PASSWORD, {"email": email})


async def link(identity: Identity, email: str) -> str:
    """The token of the newest mail that has a link for a new password."""
    await identity.jobs()
    text = next(one for one in reversed(identity.mailbox.to(email)) if "/new-password#" in one)
    token = TOKEN.search(text)
    assert token is not None
    return token[1]


async def set_new(identity: Identity, token: str, password: str = ANOTHER) -> dict[str, object]:
    """What setting a new password answers."""
    return await identity.mutate(NEW_PASSWORD, {"token": token, "newPassword": password})


async def test_a_forgotten_password_is_set_anew_by_mail_and_every_session_is_over(
    identity: Identity, here: Organization
) -> None:
    """R05: self-service for confirmed accounts; a mail tells of the change."""
    email, user_id = await confirmed(identity, here)
    session = await identity.sign_in(email)

    asked = await request(identity, email.upper())
    done = await set_new(identity, await link(identity, email))

    assert (asked["__typename"], asked["minutes"]) == ("NewPasswordRequested", 60)
    assert done == {"__typename": "PasswordSet", "userId": user_id, "email": email}
    with pytest.raises(Unauthenticated):
        await identity.viewer(session["accessToken"])
    assert (await identity.sign_in(email))["code"] == "BAD_CREDENTIALS"
    assert (await identity.sign_in(email, ANOTHER))["__typename"] == "SignedIn"
    await identity.jobs()
    assert "Your password was changed on" in identity.mailbox.to(email)[-1]


async def test_a_link_works_once_for_an_hour_and_not_after_a_newer_one(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    email, _ = await confirmed(identity, here)
    await request(identity, email)
    first = await link(identity, email)
    await request(identity, email)
    second = await link(identity, email)

    older = await set_new(identity, first)
    weak = await set_new(identity, second, "passwordpassword")
    answers = await asyncio.gather(*(set_new(identity, second) for _ in range(5)))
    await identity.running.advance(61 * MINUTE)
    await request(identity, email)
    third = await link(identity, email)
    await identity.running.advance(60 * MINUTE)
    late = await set_new(identity, third)

    assert older["code"] == "TOKEN_UNKNOWN"
    assert weak["code"] == "PASSWORD_COMMON"
    assert sorted(str(one.get("code", "won")) for one in answers) == ["TOKEN_CONSUMED"] * 4 + [
        "won"
    ]
    assert late["code"] == "TOKEN_EXPIRED"


async def test_the_answer_is_the_same_whoever_s_address_it_is_and_mail_goes_to_those_with_a_password(
    identity: Identity, here: Organization
) -> None:
    """R05, I5: unknown, not confirmed, deactivated and support's own addresses get the same bytes and no mail."""
    known, _ = await confirmed(identity, here)
    invited = an_email()
    await identity.invite(here.admin, invited)
    left, left_id = await confirmed(identity, here)
    seen = await identity.user(left_id, here.admin)
    await identity.mutate(DEACTIVATE, about(seen), here.admin)
    await identity.jobs()
    addresses = [known, an_email(), invited, left, SUPPORT[0], "no address", "x" * 5000, "\0@\0"]
    before = {one: len(identity.mailbox.to(one)) for one in addresses}

    answers = [
        await identity.running.gql(REQUEST_PASSWORD, {"input": {"email": one}}, viewer=ANONYMOUS)
        for one in addresses
    ]
    await identity.jobs()

    assert len({orjson.dumps(one) for one in answers}) == 1
    more = {one for one in addresses if len(identity.mailbox.to(one)) > before[one]}
    assert more == {known}
    assert await identity.running.sql.fetchval("SELECT count(*) FROM forgotten_passwords") == 0


async def test_asking_again_and_again_is_slowed_down_alike_for_every_address(
    identity: Identity, here: Organization
) -> None:
    """R05, I5: nobody's mailbox is flooded, and the pace tells nothing."""
    known, _ = await confirmed(identity, here)
    unknown = an_email()

    paces = {
        one: [(await request(identity, one))["__typename"] for _ in range(6)]
        for one in (known, unknown)
    }

    assert paces[known] == paces[unknown]
    assert paces[known][:3] == ["NewPasswordRequested"] * 3
    assert paces[known][-1] == "RateLimitedProblem"
    assert (await identity.sign_in(known))["__typename"] == "SignedIn", "signing in is not slowed"


async def test_who_was_deactivated_meanwhile_sets_no_password(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    email, user_id = await confirmed(identity, here)
    await request(identity, email)
    token = await link(identity, email)
    await identity.mutate(DEACTIVATE, about(await identity.user(user_id, here.admin)), here.admin)

    refused = await set_new(identity, token)

    assert refused["code"] == "TOKEN_CONSUMED"


async def test_opening_the_link_consumes_nothing(identity: Identity, here: Organization) -> None:
    """R04: the token stands behind the #, so a scanner of mail that fetches the link sends nothing of it."""
    email, _ = await confirmed(identity, here)
    await request(identity, email)
    await identity.jobs()
    (text,) = [one for one in identity.mailbox.to(email) if "/new-password" in one]

    assert "/new-password#token=" in text
    assert PASSWORD not in text
