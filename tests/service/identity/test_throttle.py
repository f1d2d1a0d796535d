"""Guessing passwords: from many sources, for a day, of accounts that exist and of those that do not."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from kit.logs import client_address
from tests.service.identity.asking import role
from tests.service.identity.conftest import Identity, Organization, an_email
from tests.support.running import running_service

HOME = "192.0.2.10"
DAY = timedelta(days=1)


@pytest.fixture
async def email(identity: Identity, here: Organization) -> str:
    """The address of a confirmed user, who has signed in from home."""
    address = an_email()
    await identity.invite(here.admin, address, role("OFFICE_STAFF", here.office))
    await identity.confirm_by_link(address)
    assert (await sign_in(identity, address, HOME))["__typename"] == "SignedIn"
    return address


async def sign_in(identity: Identity, email: str, source: str, *guess: str) -> dict[str, Any]:
    """What signing in from a source answers; with the right password unless there is a guess."""
    mark = client_address.set(source)
    try:
        return await identity.sign_in(email, *guess)
    finally:
        client_address.reset(mark)


async def guess(identity: Identity, email: str, source: str) -> dict[str, Any]:
    """What a guess of the password answers."""
    return await sign_in(identity, email, source, f"a guess from {source}")


def evaluated(answers: Sequence[dict[str, Any]]) -> int:
    """How many guesses were looked at; the others must have been told to wait."""
    codes = [one["code"] for one in answers]
    assert set(codes) <= {"BAD_CREDENTIALS", "RATE_LIMITED"}
    return codes.count("BAD_CREDENTIALS")


def strangers(count: int) -> list[str]:
    """So many sources nobody has signed in from."""
    return [f"198.18.{n // 250}.{n % 250}" for n in range(count)]


async def test_many_sources_at_once_get_no_more_guesses_than_one(
    identity: Identity, email: str
) -> None:
    """Two replicas are asked by 300 sources in parallel while the true user signs in from home."""
    async with running_service(identity.running.service) as running:
        replicas = [
            identity,
            Identity(running, identity.directory, identity.mailbox, identity.support),
        ]
        attack = [guess(replicas[n % 2], email, one) for n, one in enumerate(strangers(300))]
        home = [sign_in(one, email, HOME) for one in replicas]
        answers, at_home = await asyncio.gather(asyncio.gather(*attack), asyncio.gather(*home))

    assert 3 <= evaluated(answers) <= 8
    assert [one["__typename"] for one in at_home] == ["SignedIn"] * 2


async def test_a_day_of_guesses_from_ever_new_sources_is_less_than_a_hundred(
    identity: Identity, email: str
) -> None:
    """The attacker comes back as early as it is told, each time from elsewhere; the true user stays in all the while."""
    clock = identity.running.parts.clock
    end, answers, homes = clock.now() + DAY, [], []
    for source in strangers(500):
        answers.append(await guess(identity, email, source))
        if wait := answers[-1].get("retryAfterSeconds"):
            homes.append(await sign_in(identity, email, HOME))
            await identity.running.advance(timedelta(seconds=wait))
        if clock.now() > end:
            break

    assert clock.now() > end
    assert 50 <= evaluated(answers) <= 100
    assert {one["__typename"] for one in homes} == {"SignedIn"}


async def test_an_account_under_attack_is_never_locked_for_good(
    identity: Identity, email: str
) -> None:
    for source in strangers(20):
        await guess(identity, email, source)
    early = await sign_in(identity, email, "203.0.113.1")

    await identity.running.advance(timedelta(seconds=early["retryAfterSeconds"]))

    assert early["code"] == "RATE_LIMITED"
    assert (await sign_in(identity, email, "203.0.113.1"))["__typename"] == "SignedIn"
    assert evaluated([await guess(identity, email, "203.0.113.1") for _ in range(5)]) == 3, (
        "the source is known from now on, and has a pace of its own"
    )


async def test_a_known_source_is_slowed_down_as_well(identity: Identity, email: str) -> None:
    assert evaluated([await guess(identity, email, HOME) for _ in range(5)]) == 3


async def test_a_source_known_for_one_account_is_a_stranger_to_another(
    identity: Identity, email: str, here: Organization
) -> None:
    other = an_email()
    await identity.invite(here.admin, other)
    await identity.confirm_by_link(other)
    for source in strangers(4):
        await guess(identity, other, source)

    assert (await sign_in(identity, other, HOME))["code"] == "RATE_LIMITED"
    assert (await sign_in(identity, email, HOME))["__typename"] == "SignedIn"


async def test_who_is_always_somewhere_else_is_not_slowed_down_by_own_successes(
    identity: Identity, email: str
) -> None:
    answers = [await sign_in(identity, email, source) for source in strangers(8)]

    assert {one["__typename"] for one in answers} == {"SignedIn"}


async def test_a_success_elsewhere_gives_the_attacker_nothing(
    identity: Identity, email: str
) -> None:
    before = [await guess(identity, email, source) for source in strangers(2)]
    there = await sign_in(identity, email, "203.0.113.1")
    after = [await guess(identity, email, source) for source in strangers(9)[2:]]

    assert there["__typename"] == "SignedIn"
    assert evaluated(before + after) == 3


async def test_guessing_at_nobody_is_answered_as_guessing_at_somebody(
    identity: Identity, email: str
) -> None:
    async def told(address: str) -> list[dict[str, Any]]:
        return [await guess(identity, address, source) for source in [HOME, *strangers(6)][1:]]

    assert await told(email) == await told(an_email())


async def test_what_is_remembered_of_a_source_tells_neither_it_nor_the_account(
    identity: Identity, email: str
) -> None:
    rows = await identity.running.sql.fetch("SELECT * FROM known_sources")

    assert rows
    assert not any(word in str(dict(row)) for row in rows for word in (email, HOME))


async def test_a_source_is_forgotten_ninety_days_after_its_last_success(
    identity: Identity, email: str
) -> None:
    pool = identity.running.parts.db.pool
    await identity.running.advance(timedelta(days=89))
    for source in strangers(4):
        await guess(identity, email, source)
    assert (await sign_in(identity, email, HOME))["__typename"] == "SignedIn"

    await identity.running.advance(timedelta(days=90))
    for source in strangers(4):
        await guess(identity, email, source)

    assert (await sign_in(identity, email, HOME))["code"] == "RATE_LIMITED"
    assert await pool.fetchval("SELECT count(*) FROM known_sources") == 0


async def test_attempts_are_forgotten_after_a_day(identity: Identity, email: str) -> None:
    await guess(identity, email, HOME)
    await guess(identity, email, *strangers(1))

    await identity.running.advance(DAY)

    assert await identity.running.sql.fetchval("SELECT count(*) FROM sign_in_attempts") == 0


async def test_a_session_is_forgotten_thirty_five_days_after_its_end(
    identity: Identity, email: str
) -> None:
    """Long enough to explain every fact about it that is still kept, and no longer."""
    session = (await sign_in(identity, email, HOME))["userId"]
    count = "SELECT count(*) FROM sessions WHERE user_id = $1"
    pool = identity.running.parts.db.pool
    kept = await pool.fetchval(count, session)

    await identity.running.advance(timedelta(days=35))
    assert await pool.fetchval(count, session) == kept
    await identity.running.advance(timedelta(hours=13))

    assert await pool.fetchval(count, session) == 0
    assert (await sign_in(identity, email, HOME))["__typename"] == "SignedIn"
