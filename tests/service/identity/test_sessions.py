"""Signing in and out, refreshing, and what a token is worth."""

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import argon2
import orjson
import pytest

from kit.auth import Viewer
from kit.errors import Unauthenticated
from kit.logs import client_address
from proto.identity.v1.identity_pb2 import KeysRequest, TimeRequest
from tests.service.identity.asking import DEACTIVATE, REFRESH, SIGN_OUT, VIEWER, about, role
from tests.service.identity.conftest import (
    PASSWORD,
    SUPPORT,
    Identity,
    Organization,
    an_email,
    new_organization,
)
from tests.support.running import running_service

HOUR = timedelta(hours=1)


async def refresh(identity: Identity, token: str) -> dict[str, Any]:
    """What refreshing answers."""
    return await identity.mutate(REFRESH, {"refreshToken": token})


async def staff(identity: Identity, here: Organization) -> tuple[str, dict[str, Any]]:
    """The address of a confirmed user, and a fresh session."""
    email = an_email()
    await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    await identity.confirm(email)
    return email, await identity.sign_in(email)


async def test_the_support_account_of_the_settings_is_there_once(identity: Identity) -> None:
    await identity.jobs()
    await identity.jobs()

    count = await identity.running.sql.fetchval("SELECT count(*) FROM users WHERE support")
    assert count == 1
    assert identity.support.support
    assert identity.support.organization_id is None


async def test_a_viewer_learns_who_they_are_and_what_they_may_do(
    identity: Identity, here: Organization
) -> None:
    seen = await identity.running.data(VIEWER, viewer=here.admin)
    support = await identity.running.data(VIEWER, viewer=identity.support)
    nobody = await identity.running.data(VIEWER, viewer=Viewer())

    assert seen["viewer"]["organization"]["allowedActions"] == [
        "INVITE_USER",
        "ADD_PARTNER",
        "DISMISS_CANDIDATE",
        "CHANGE_SIGN_IN",
    ]
    assert seen["viewer"]["user"]["grants"] == [{"role": "CLIENT_ADMIN", "office": None}]
    assert seen["viewer"]["allowedActions"] == []
    assert support["viewer"]["email"] == SUPPORT[0]
    assert support["viewer"]["user"] is None
    assert support["viewer"]["allowedActions"] == ["ADD_ORGANIZATION"]
    assert nobody["viewer"] is None


async def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(
    identity: Identity, here: Organization
) -> None:
    email, _ = await staff(identity, here)
    invited = an_email()
    await identity.invite(here.admin, invited)

    answers = [
        await identity.sign_in(one, "not the password at all")
        for one in (email, invited, an_email())
    ]

    assert answers[0]["code"] == "BAD_CREDENTIALS"
    assert answers[0] == answers[1] == answers[2]


async def test_an_unknown_account_costs_as_much_time_as_a_wrong_password(
    identity: Identity, here: Organization
) -> None:
    email, _ = await staff(identity, here)

    async def spent(address: str) -> float:
        before = time.perf_counter()
        await identity.sign_in(address, "not the password at all")
        return time.perf_counter() - before

    known = min([await spent(email) for _ in range(3)])
    unknown = min([await spent(an_email()) for _ in range(3)])

    assert known / 3 < unknown < known * 3


async def test_any_spelling_of_the_address_signs_in(identity: Identity, here: Organization) -> None:
    """R03"""
    email, _ = await staff(identity, here)

    assert (await identity.sign_in(f" {email.upper()} "))["__typename"] == "SignedIn"


async def test_a_hash_of_older_parameters_is_replaced_at_sign_in(
    identity: Identity, here: Organization
) -> None:
    email, _ = await staff(identity, here)
    pool = identity.running.parts.db.pool
    older = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await pool.execute("UPDATE users SET password_hash = $2 WHERE email = $1", email, older)

    first, second = await identity.sign_in(email), await identity.sign_in(email)

    kept = await pool.fetchval("SELECT password_hash FROM users WHERE email = $1", email)
    assert first["__typename"] == second["__typename"] == "SignedIn"
    assert "m=19456,t=2" in kept


@pytest.mark.parametrize(
    "email", ["", "\0", "a\0b@example.org", "\N{SNOWMAN}" * 5000, "' OR true --"]
)
async def test_an_address_that_cannot_be_is_just_unknown(identity: Identity, email: str) -> None:
    assert (await identity.sign_in(email, "x" * 100_000))["code"] == "BAD_CREDENTIALS"


async def test_guessing_is_slowed_down_for_one_source_and_never_locks_the_account(
    identity: Identity, here: Organization
) -> None:
    email, _ = await staff(identity, here)
    mark = client_address.set("192.0.2.66")
    guesses = [await identity.sign_in(email, f"a guess of the password {n}") for n in range(4)]
    early = await identity.sign_in(email)
    client_address.reset(mark)

    assert [one["code"] for one in guesses] == ["BAD_CREDENTIALS"] * 3 + ["RATE_LIMITED"]
    assert guesses[3]["retryAfterSeconds"] == 1
    assert early["code"] == "RATE_LIMITED"
    assert (await identity.sign_in(email))["__typename"] == "SignedIn"
    client_address.set("192.0.2.66")
    await identity.running.advance(timedelta(seconds=2))
    assert (await identity.sign_in(email))["__typename"] == "SignedIn"
    again = [await identity.sign_in(email, "a guess of the password") for _ in range(3)]
    assert [one["code"] for one in again] == ["BAD_CREDENTIALS"] * 3, "success forgets the failures"


async def test_many_guesses_at_once_are_not_more_than_one_after_another(
    identity: Identity, here: Organization
) -> None:
    email, _ = await staff(identity, here)

    answers = await asyncio.gather(
        *(identity.sign_in(email, f"a guess of the password {n}") for n in range(20))
    )

    assert sum(one["code"] == "BAD_CREDENTIALS" for one in answers) <= 4


async def test_who_works_for_several_organizations_chooses_one(
    identity: Identity, here: Organization
) -> None:
    there = await new_organization(identity, "Hillside Care")
    email, _ = await staff(identity, here)
    await identity.invite(there.admin, email)

    unclear = await identity.sign_in(email)
    wrong = await identity.sign_in(email, organizationId=str(UUID(int=5)))
    guess = await identity.sign_in(email, "not the password at all")
    chosen = await identity.sign_in(email, organizationId=str(there.id))

    assert unclear["code"] == wrong["code"] == "CHOOSE_ORGANIZATION"
    assert unclear["organizations"] == [
        {"id": str(there.id), "name": "Hillside Care"},
        {"id": str(here.id), "name": "Lakeside Care"},
    ]
    assert guess["code"] == "BAD_CREDENTIALS"
    viewer = await identity.viewer(chosen["accessToken"])
    assert (viewer.organization_id, viewer.offices) == (there.id, frozenset())


async def test_refreshing_gives_the_next_token_and_a_used_one_ends_the_session(
    identity: Identity, here: Organization
) -> None:
    _, first = await staff(identity, here)

    second = await refresh(identity, first["refreshToken"])
    again = await refresh(identity, first["refreshToken"])
    third = await refresh(identity, second["refreshToken"])
    stolen = await refresh(identity, first["refreshToken"])

    assert again["refreshToken"] == second["refreshToken"] != first["refreshToken"]
    assert third["__typename"] == "SignedIn"
    assert stolen["code"] == "SESSION_ENDED"
    assert (await refresh(identity, third["refreshToken"]))["code"] == "SESSION_ENDED"
    with pytest.raises(Unauthenticated):
        await identity.viewer(third["accessToken"])
    told = [data for name, data in await identity.told(here.id) if "sessions_revoked" in name]
    assert told[-1]["userId"] == first["userId"]
    assert told[-1]["sessionId"]


async def test_the_direct_predecessor_is_graced_for_ten_seconds_only(
    identity: Identity, here: Organization
) -> None:
    _, first = await staff(identity, here)
    second = await refresh(identity, first["refreshToken"])

    await identity.running.advance(timedelta(seconds=10))

    assert (await refresh(identity, first["refreshToken"]))["code"] == "SESSION_ENDED"
    assert (await refresh(identity, second["refreshToken"]))["code"] == "SESSION_ENDED"


async def test_of_many_refreshes_at_once_exactly_one_live_head_remains(
    identity: Identity, here: Organization
) -> None:
    _, first = await staff(identity, here)

    answers = await asyncio.gather(*(refresh(identity, first["refreshToken"]) for _ in range(30)))

    assert len({one["refreshToken"] for one in answers}) == 1
    assert (await refresh(identity, answers[0]["refreshToken"]))["__typename"] == "SignedIn"


@pytest.mark.parametrize("text", ["", "x", "A" * 70, "\N{SNOWMAN}" * 30, "a" * 5000])
async def test_what_is_no_refresh_token_ends_nothing(identity: Identity, text: str) -> None:
    assert (await refresh(identity, text))["code"] == "SESSION_ENDED"


async def test_refreshing_never_outlives_twelve_hours(
    identity: Identity, here: Organization
) -> None:
    _, session = await staff(identity, here)
    for _ in range(11):
        await identity.running.advance(HOUR)
        session = await refresh(identity, session["refreshToken"])
    await identity.running.advance(HOUR)

    assert (await refresh(identity, session["refreshToken"]))["code"] == "SESSION_ENDED"


async def test_signing_out_ends_the_session_at_once_and_twice_is_once(
    identity: Identity, here: Organization
) -> None:
    email, session = await staff(identity, here)
    other = await identity.sign_in(email)
    viewer = await identity.viewer(session["accessToken"])

    first = await identity.mutate(SIGN_OUT, None, viewer)
    again = await identity.mutate(SIGN_OUT, None, viewer)

    assert first == again
    with pytest.raises(Unauthenticated):
        await identity.viewer(session["accessToken"])
    assert (await refresh(identity, session["refreshToken"]))["code"] == "SESSION_ENDED"
    assert (await identity.viewer(other["accessToken"])).user_id == viewer.user_id
    told = [data for name, data in await identity.told(here.id) if "sessions_revoked" in name]
    assert [one["sessionId"] for one in told if one["userId"] == session["userId"]] == [
        str(viewer.session_id)
    ]


async def test_nobody_cannot_sign_out(identity: Identity) -> None:
    answer = await identity.running.gql(SIGN_OUT, viewer=Viewer())

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_an_access_token_lives_five_minutes(identity: Identity, here: Organization) -> None:
    _, session = await staff(identity, here)
    at = identity.running.parts.clock.now()

    await identity.running.set_time(at + timedelta(minutes=4, seconds=55))
    await identity.viewer(session["accessToken"])
    await identity.running.set_time(at + timedelta(minutes=5, seconds=1))

    with pytest.raises(Unauthenticated):
        await identity.viewer(session["accessToken"])


async def test_a_token_issued_before_a_change_gives_the_powers_of_after_it(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    email, session = await staff(identity, here)
    before = await identity.viewer(session["accessToken"])

    await identity.invite(here.admin, email, role("INSURANCE_MANAGER"))

    after = await identity.viewer(session["accessToken"])
    assert not before.insurance_manager
    assert after.insurance_manager
    assert after.office_staff_of == frozenset({here.office})


async def test_a_deactivated_user_can_do_nothing_from_the_next_request_on(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    email, session = await staff(identity, here)
    user = await identity.user(session["userId"], here.admin)
    await identity.member(here, role("OFFICE_STAFF", here.office))

    gone = await identity.mutate(DEACTIVATE, about(user), here.admin)

    assert gone["user"]["status"] == "DEACTIVATED"
    with pytest.raises(Unauthenticated):
        await identity.viewer(session["accessToken"])
    assert (await refresh(identity, session["refreshToken"]))["code"] == "SESSION_ENDED"
    assert (await identity.sign_in(email))["code"] == "ACCOUNT_DEACTIVATED"
    told = [name for name, data in await identity.told(here.id) if data.get("userId") == user["id"]]
    assert told[-2:] == ["user.deactivated.v1", "user.sessions_revoked.v1"]


async def test_who_leaves_one_organization_stays_signed_in_at_another(
    identity: Identity, here: Organization
) -> None:
    """R02, R07"""
    email, first = await staff(identity, here)
    there = await new_organization(identity, "Hillside Care")
    await identity.invite(there.admin, email)
    second = await identity.sign_in(email, organizationId=str(there.id))
    user = await identity.user(first["userId"], here.admin)
    await identity.member(here, role("OFFICE_STAFF", here.office))

    await identity.mutate(DEACTIVATE, about(user), here.admin)

    with pytest.raises(Unauthenticated):
        await identity.viewer(first["accessToken"])
    assert (await identity.viewer(second["accessToken"])).organization_id == there.id
    assert (await refresh(identity, second["refreshToken"]))["__typename"] == "SignedIn"


async def test_the_public_keys_hold_nothing_private(identity: Identity) -> None:
    await identity.sign_in(*SUPPORT)

    (key,) = orjson.loads((await identity.ask("Keys", KeysRequest())).jwks_json)["keys"]

    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}


async def test_the_time_is_the_databases_with_its_offset_apart(identity: Identity) -> None:
    reply = await identity.ask("Time", TimeRequest())
    clock = identity.running.parts.clock

    assert reply.offset_us == clock.offset // timedelta(microseconds=1)
    assert abs(reply.database_time.ToDatetime(clock.real().tzinfo) - clock.real()) < HOUR / 60


async def test_two_processes_that_start_at_once_share_one_signing_key(identity: Identity) -> None:
    pool = identity.running.parts.db.pool
    before = await pool.fetchval("SELECT count(*) FROM signing_keys")

    async with running_service(identity.running.service) as other:
        viewer = await identity.viewer((await identity.sign_in(*SUPPORT))["accessToken"])
        data = await other.data(VIEWER, viewer=viewer)

    assert data["viewer"]["support"]
    assert await pool.fetchval("SELECT count(*) FROM signing_keys") == before == 1
