"""What is under way when something it stands on is changed: it must not outlive the change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta

import argon2
import pytest

from kit.db import Connection
from proto.identity.v1.identity_pb2 import IntrospectRequest
from services.identity import store
from services.identity.actions.means import LONGEST_QUEUE
from services.identity.actions.sso import MOST_TRIPS
from services.identity.domain import UserId
from tests.service.identity.asking import GRANT, RESEND, SET_PASSWORD, about, role
from tests.service.identity.conftest import (
    PASSWORD,
    Identity,
    Organization,
    an_email,
    new_organization,
)
from tests.service.identity.proving import add_app, begin
from tests.service.identity.signing_on import give_password, office_with
from tests.support.eventually import eventually
from tests.support.sign_in_service import sign_in_service

ANOTHER = "nine otters drift past the old mill"
OLDER = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)


async def confirmed(identity: Identity, here: Organization) -> tuple[str, UserId]:
    """The address and id of a confirmed user."""
    email = an_email()
    member = await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    await identity.confirm_by_link(email)
    return email, UserId(member["user"]["id"])


@asynccontextmanager
async def holding(identity: Identity, user_id: UserId) -> AsyncIterator[Connection]:
    """A transaction that holds the account, as whoever changes its password does."""
    async with identity.running.parts.db.transaction() as tx:
        await store.lock_account(tx, user_id)
        yield tx


async def someone_waits(identity: Identity, table: str = "users") -> None:
    """Returns when a statement waits for a row of a table."""

    async def waiting() -> bool:
        count = await identity.running.sql.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1"
            " AND datname = current_database()",
            f"%FROM {table}%",
        )
        return bool(count)

    await eventually(waiting)


@pytest.mark.parametrize("hashed", ["lately", "long ago"])
async def test_a_sign_in_under_way_with_the_password_before_opens_nothing_once_another_is_set(
    identity: Identity, here: Organization, hashed: str
) -> None:
    """R05: who sets a new password is rid of whoever knows the one before, also of whose hash is about to be renewed."""
    email, user_id = await confirmed(identity, here)
    if hashed == "long ago":
        await identity.running.sql.execute(
            "UPDATE users SET password_hash = $2 WHERE id = $1", user_id, OLDER.hash(PASSWORD)
        )
    fresh = await identity.running.parts.peers.hasher.hash(ANOTHER)
    async with holding(identity, user_id) as tx:
        late = asyncio.create_task(identity.sign_in(email))
        await someone_waits(identity)
        now = identity.running.parts.clock.now()
        await store.set_password(tx, user_id, fresh, now)
        await store.revoke_sessions_of(tx, user_id, "PASSWORD_RESET", now)

    assert (await late)["code"] == "BAD_CREDENTIALS"
    assert (await identity.sign_in(email, ANOTHER))["__typename"] == "SignedIn"


async def test_many_sign_ins_at_once_renew_an_old_hash_and_all_get_in(
    identity: Identity, here: Organization
) -> None:
    """R05: a hash of today's parameters is the same password."""
    email, user_id = await confirmed(identity, here)
    await identity.running.sql.execute(
        "UPDATE users SET password_hash = $2 WHERE id = $1", user_id, OLDER.hash(PASSWORD)
    )

    answers = await asyncio.gather(*(identity.sign_in(email) for _ in range(3)))

    assert [one["__typename"] for one in answers] == ["SignedIn"] * 3


async def test_a_first_password_that_was_used_up_is_wrong_like_any_other(
    identity: Identity, here: Organization
) -> None:
    """R05: also for an account that has no password of its own since its organization's sign-in service vouches for it."""
    email = an_email()
    await identity.invite(here.admin, email)
    _, temporary = await identity.secrets(email)
    await identity.running.sql.execute(
        "WITH one AS (UPDATE users SET confirmed_at = now() WHERE email = $1 RETURNING id)"
        " UPDATE temporary_passwords SET consumed_at = now() WHERE user_id = (SELECT id FROM one)",
        email,
    )
    soon = await identity.sign_in(email, temporary)
    await identity.running.advance(timedelta(hours=49))
    late = await identity.sign_in(email, temporary)

    assert (soon["code"], late["code"]) == ("BAD_CREDENTIALS", "BAD_CREDENTIALS")


async def test_who_is_turned_away_by_a_crowd_has_made_no_attempt(
    identity: Identity, here: Organization
) -> None:
    """R05: a storm of sign-ins slows nobody down who stands in it."""
    email, _ = await confirmed(identity, here)
    over = asyncio.Event()

    async def push() -> None:
        while not over.is_set():
            await identity.running.parts.peers.hasher.hash(PASSWORD)

    crowd = asyncio.gather(*(push() for _ in range(LONGEST_QUEUE)))
    await asyncio.sleep(0)
    turned_away = [await identity.sign_in(email) for _ in range(5)]
    over.set()
    await crowd

    assert {one["code"] for one in turned_away} == {"RATE_LIMITED"}
    assert (await identity.sign_in(email))["__typename"] == "SignedIn"


async def test_a_password_alone_is_not_being_here(identity: Identity, here: Organization) -> None:
    """R07: whoever has only the password does not keep an account from ending after ninety days."""
    email, user_id = await confirmed(identity, here)
    viewer = await identity.viewer((await identity.sign_in(email))["accessToken"])
    await add_app(identity, viewer)
    asked = "SELECT signed_in_at FROM memberships WHERE user_id = $1"
    before = await identity.running.sql.fetchval(asked, user_id)
    await identity.running.advance(timedelta(minutes=1))
    await begin(identity, email)

    assert await identity.running.sql.fetchval(asked, user_id) == before


async def test_strangers_who_begin_sign_ins_again_and_again_keep_nobody_out(
    identity: Identity, here: Organization
) -> None:
    """R03, R05: whoever left longest ago gives way, not whoever comes now."""
    async with sign_in_service() as service:
        office = await office_with(identity, here, service)
        await identity.running.sql.execute(
            "INSERT INTO sign_in_trips (state_hash, organization_id, service_version, sealed, ends_at)"
            " SELECT sha256(n::text::bytea), $1, 1, '', now() + interval '5 minutes' FROM generate_series(1, $2) n",
            here.id,
            MOST_TRIPS,
        )

        signed_in = await office.sign_in()

    assert signed_in["__typename"] == "SignedIn", signed_in


async def test_nobody_remembers_a_role_for_longer_than_it_was_granted_for(
    identity: Identity, here: Organization
) -> None:
    """R08: what is told of a token ends with the first of the roles that end by themselves."""
    email, user_id = await confirmed(identity, here)
    until = identity.running.parts.clock.now() + timedelta(minutes=2)
    user = await identity.user(user_id, here.admin)
    wanted = role("OFFICE_ADMIN", here.office) | {"expiresAt": until.isoformat()}
    await identity.mutate(GRANT, about(user, **wanted), here.admin)
    token = (await identity.sign_in(email))["accessToken"]

    reply = await identity.ask("Introspect", IntrospectRequest(access_token=token))

    assert reply.office_admin_of == [str(here.office)]
    assert reply.expires_at.ToDatetime(tzinfo=UTC) == until


async def test_a_session_of_a_temporary_password_sets_none_once_that_has_expired(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    email = an_email()
    await identity.invite(here.admin, email)
    _, temporary = await identity.secrets(email)
    await identity.running.advance(timedelta(hours=47, minutes=59))
    session = await identity.sign_in(email, temporary)
    viewer = await identity.viewer(session["accessToken"])
    await identity.running.advance(timedelta(minutes=1))

    late = await identity.mutate(SET_PASSWORD, {"newPassword": PASSWORD}, viewer)

    assert session["stage"] == "SET_PASSWORD"
    assert late["code"] == "TEMP_PASSWORD_EXPIRED"


async def test_an_invitation_is_not_sent_again_and_again(
    identity: Identity, here: Organization
) -> None:
    """R04: nobody's mailbox is flooded in the organization's name, and no other organization slows it down."""
    user = (await identity.invite(here.admin, an_email()))["user"]
    there = await new_organization(identity)
    email, _ = await confirmed(identity, here)
    colleague = await identity.viewer((await identity.sign_in(email))["accessToken"])
    for stranger in (there.admin, colleague) * 5:
        refused = await identity.mutate(RESEND, {"userId": user["id"]}, stranger)
        assert refused["code"] == ("FORBIDDEN" if stranger is colleague else "NOT_FOUND")
    sent = [await identity.mutate(RESEND, {"userId": user["id"]}, here.admin) for _ in range(4)]

    assert [one["__typename"] for one in sent] == ["User"] * 3 + ["RateLimitedProblem"]


async def test_a_sign_in_under_way_with_a_password_opens_nothing_once_passwords_are_refused(
    identity: Identity, here: Organization
) -> None:
    """R03: an organization that signs in at its own service only is rid of passwords from that moment on."""
    async with sign_in_service() as service:
        office = await office_with(identity, here, service)
        await give_password(identity, office.user_id)
        async with identity.running.parts.db.transaction() as tx:
            await tx.execute(
                'UPDATE sign_in_services SET "only" = true WHERE organization_id = $1', here.id
            )
            late = asyncio.create_task(identity.sign_in(office.email))
            await someone_waits(identity, "sign_in_services")

        assert (await late)["code"] == "SINGLE_SIGN_ON_REQUIRED"
