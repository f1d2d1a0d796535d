"""What stands in the audit trail although no fact tells it: credentials, proofs that failed, and why support did something."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from kit.auth import Viewer
from tests.service.identity.asking import (
    GRANT,
    REFRESH,
    REQUEST_PASSWORD,
    about,
    role,
)
from tests.service.identity.conftest import SUPPORT, Identity, Organization, an_email
from tests.service.identity.proving import (
    PROVE,
    RENAME,
    RESET,
    SET_RULES,
    add_app,
    answer,
    begin,
)

PROBLEM = "... on Problem { code }"
ROTATE = f"mutation($input: RotateSigningKeysInput!) {{ rotateSigningKeys(input: $input) {{ __typename {PROBLEM} }} }}"
ASK = f"mutation($input: RequestSupportInput!) {{ requestSupport(input: $input) {{ __typename {PROBLEM} ... on SupportRequest {{ id }} }} }}"


async def trail(identity: Identity, act: str, user_id: object = None) -> list[dict[str, Any]]:
    """The entries of an act, about that user if one is named, the oldest first."""
    rows = await identity.running.sql.fetch(
        "SELECT user_id, session_id, organization_id, support, about, fields, reason FROM audit_entries"
        " WHERE act = $1 AND ($2::uuid IS NULL OR about = $2) ORDER BY recorded_at",
        act,
        user_id,
    )
    return [dict(row) for row in rows]


async def somebody(identity: Identity, here: Organization) -> tuple[str, Viewer]:
    """A confirmed user's address and viewer."""
    email = an_email()
    await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    return email, await identity.confirm(email)


async def test_proofs_and_second_factors_stand_in_the_trail_also_when_they_are_wrong(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    email, viewer = await somebody(identity, here)
    await identity.mutate(PROVE, {"password": "not the password at all"}, viewer)
    _, added = await add_app(identity, viewer)
    await identity.mutate(RENAME, {"factorId": added["factor"]["id"], "name": "Tablet"}, viewer)
    waiting, _ = await begin(identity, email)
    await answer(identity, waiting, code="000000")

    failed = await trail(identity, "user.proof_failed", viewer.user_id)
    (renamed,) = await trail(identity, "user.second_factor_renamed", viewer.user_id)
    assert [one["session_id"] for one in failed] == [viewer.session_id, waiting.session_id]
    assert {one["organization_id"] for one in (*failed, renamed)} == {here.id}
    assert renamed["user_id"] == viewer.user_id


async def test_proving_once_more_stands_in_the_trail(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    _, viewer = await somebody(identity, here)
    await identity.mutate(PROVE, {"password": "seven herons cross the wide estuary"}, viewer)

    (proved,) = await trail(identity, "user.proved", viewer.user_id)
    assert (proved["user_id"], proved["organization_id"]) == (viewer.user_id, here.id)


async def test_a_refresh_token_that_comes_back_stands_in_the_trail(
    identity: Identity, here: Organization
) -> None:
    """R07: a family that was ended for it says why."""
    email, viewer = await somebody(identity, here)
    session = await identity.sign_in(email)
    await identity.mutate(REFRESH, {"refreshToken": session["refreshToken"]})
    await identity.running.advance(timedelta(seconds=11))
    again = await identity.mutate(REFRESH, {"refreshToken": session["refreshToken"]})

    (reused,) = await trail(identity, "user.refresh_token_reused", viewer.user_id)
    assert again["code"] == "SESSION_ENDED"
    assert (reused["user_id"], reused["organization_id"]) == (None, here.id)
    assert reused["session_id"] is not None


async def test_a_link_for_a_forgotten_password_stands_in_the_trail(
    identity: Identity, here: Organization
) -> None:
    """R05: and nothing of addresses that are nobody's, with which strangers could fill it."""
    email, viewer = await somebody(identity, here)
    asked = "SELECT count(*) FROM audit_entries"
    before = await identity.running.sql.fetchval(asked)
    for one in (email, an_email()):
        await identity.mutate(REQUEST_PASSWORD, {"email": one})
    await identity.jobs()

    assert len(await trail(identity, "user.password_link_sent", viewer.user_id)) == 1
    assert await identity.running.sql.fetchval(asked) == before + 1


async def test_what_support_does_stands_in_the_trail_with_its_reason(
    identity: Identity, here: Organization
) -> None:
    """R05, R25: where the organization's client admins read it."""
    _, viewer = await somebody(identity, here)
    user = await identity.user(viewer.user_id, here.admin)
    given = {"asSupport": {"organizationId": str(here.id), "reason": "Ticket 12"}}
    await identity.mutate(GRANT, about(user, **role("CALL_CENTRE"), **given), identity.support)
    await add_app(identity, viewer)
    reset = {"userId": str(viewer.user_id), "reason": "Lost the phone"}
    done = await identity.mutate(RESET, reset, identity.support)
    support = await identity.viewer((await identity.sign_in(*SUPPORT))["accessToken"])
    rules = {"secondFactorRequired": False, "expectedVersion": 0, "reason": "They asked"}
    await identity.mutate(SET_RULES, rules | {"organizationId": str(here.id)}, support)
    await identity.mutate(ROTATE, {"reason": "A drill"}, identity.support)

    entries = await trail(identity, "user.support_acted", viewer.user_id)
    assert done["__typename"] == "SecondFactorsReset", done
    assert [(one["fields"], one["reason"], one["support"]) for one in entries] == [
        (["GRANT_ROLE"], "Ticket 12", True),
        (["RESET_SECOND_FACTORS"], "Lost the phone", True),
    ]
    assert {one["organization_id"] for one in entries} == {here.id}
    rotated = await trail(identity, "suite.signing_keys_rotated")
    assert (rotated[-1]["reason"], rotated[-1]["organization_id"]) == ("A drill", None)


async def test_who_asks_support_what_another_has_asked_stands_in_the_trail(
    identity: Identity, here: Organization
) -> None:
    """R25"""
    _, viewer = await somebody(identity, here)
    given = {"code": "SUPPORT_ONLY", "verb": "grantRole"}
    first, second = [
        await identity.mutate(ASK, given | {"idempotencyKey": str(uuid4())}, one)
        for one in (here.admin, viewer)
    ]

    (asked,) = await trail(identity, "support_request.asked", first["id"])
    assert first == second
    assert asked["user_id"] == viewer.user_id
