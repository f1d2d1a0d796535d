"""Signing in with an authenticator app or a recovery code, and looking after them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kit.auth import Stage, Viewer
from kit.errors import Unauthenticated
from tests.service.identity.asking import VIEWER, role
from tests.service.identity.conftest import PASSWORD, Identity, Organization, an_email
from tests.service.identity.proving import (
    ADD_TOTP,
    FACTORS,
    MAKE_CODES,
    PROVE,
    REMOVE,
    RENAME,
    RESET,
    START_TOTP,
    App,
    add_app,
    answer,
    begin,
)

MINUTE = timedelta(minutes=1)


class Someone:
    """A confirmed member of staff with an authenticator app."""

    def __init__(
        self, identity: Identity, email: str, viewer: Viewer, app: App, codes: list[str]
    ) -> None:
        self.identity, self.email, self.viewer, self.app, self.codes = (
            identity,
            email,
            viewer,
            app,
            codes,
        )

    async def begin(self) -> tuple[Viewer, dict[str, Any]]:
        """With the password alone."""
        return await begin(self.identity, self.email)

    async def sign_in(self, **said: str) -> dict[str, Any]:
        """With the password and an answer."""
        viewer, _ = await self.begin()
        return await answer(self.identity, viewer, **said)


async def staff(identity: Identity, here: Organization) -> tuple[str, Viewer]:
    """The address of a confirmed user, signed in."""
    email = an_email()
    await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    return email, await identity.confirm(email)


@pytest.fixture
async def someone(identity: Identity, here: Organization) -> Someone:
    """A member of staff who has just added an app."""
    email, viewer = await staff(identity, here)
    app, added = await add_app(identity, viewer)
    return Someone(identity, email, viewer, app, added["recoveryCodes"])


async def test_a_user_with_an_app_signs_in_with_password_and_code(
    identity: Identity, someone: Someone
) -> None:
    waiting, begun = await someone.begin()
    assert begun["stage"] == "SECOND_FACTOR"
    assert begun["refreshToken"] is None
    assert begun["challenge"]["kinds"] == ["TOTP"]
    assert begun["challenge"]["passkeyOptions"] is None

    done = await answer(identity, waiting, code=someone.app.code(identity))

    assert done["stage"] == "FULL"
    assert done["refreshToken"]
    assert done["challenge"] is None
    viewer = await identity.viewer(done["accessToken"])
    assert viewer.second_factor
    with pytest.raises(Unauthenticated):
        await identity.viewer(begun["accessToken"])


async def test_a_session_that_waits_for_the_second_factor_does_nothing_else(
    identity: Identity, someone: Someone
) -> None:
    waiting, _ = await someone.begin()

    looked = await identity.running.gql(VIEWER, viewer=waiting)
    more = [await identity.mutate(one, None, waiting) for one in (START_TOTP, MAKE_CODES)]

    assert waiting.stage is Stage.SECOND_FACTOR
    assert looked["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert {one["code"] for one in more} == {"SECOND_FACTOR_REQUIRED"}


async def test_a_code_works_once(identity: Identity, someone: Someone) -> None:
    """ASVS 6.5.1: also when it is tried again at once, in another session, or twice at the same time."""
    code = someone.app.code(identity)
    sessions = [(await someone.begin())[0] for _ in range(3)]

    both = await asyncio.gather(*(answer(identity, one, code=code) for one in sessions[:2]))
    again = await answer(identity, sessions[2], code=code)

    assert sorted(one["__typename"] for one in both) == ["DeniedProblem", "SignedIn"]
    assert again["code"] == "BAD_SECOND_FACTOR"


async def test_an_older_code_than_the_one_used_last_does_not_work_any_more(
    identity: Identity, someone: Someone
) -> None:
    earlier, now = someone.app.code(identity, later=-1), someone.app.code(identity)
    assert (await someone.sign_in(code=now))["__typename"] == "SignedIn"

    assert (await someone.sign_in(code=earlier))["code"] == "BAD_SECOND_FACTOR"


async def test_a_code_of_a_phone_that_is_half_a_minute_ahead_works_and_two_minutes_not(
    identity: Identity, someone: Someone
) -> None:
    far = await someone.sign_in(code=someone.app.code(identity, later=4))
    near = await someone.sign_in(code=someone.app.code(identity, later=1))

    assert far["code"] == "BAD_SECOND_FACTOR"
    assert near["__typename"] == "SignedIn"


async def test_every_wrong_answer_is_answered_alike(someone: Someone) -> None:
    wrong = [
        await someone.sign_in(**said)
        for said in (
            {"code": "000000"},
            {"recoveryCode": "abcd-efgh-abcd-efgh-abcd-efgh"},
            {"passkey": "{}"},
        )
    ]

    assert wrong[0]["code"] == "BAD_SECOND_FACTOR"
    assert wrong[0] == wrong[1] == wrong[2]


async def test_exactly_one_answer_is_looked_at(identity: Identity, someone: Someone) -> None:
    waiting, _ = await someone.begin()

    none = await answer(identity, waiting)
    two = await answer(identity, waiting, code="000000", recoveryCode=someone.codes[0])

    assert none["code"] == two["code"] == "ONE_ANSWER"


async def test_guesses_of_a_code_are_slowed_down_like_those_of_a_password(
    identity: Identity, someone: Someone
) -> None:
    """I6: in whichever session, and at the same time."""
    sessions = [(await someone.begin())[0] for _ in range(4)]

    tried = await asyncio.gather(
        *(answer(identity, sessions[n % 4], code=f"{n:06}") for n in range(40))
    )

    codes = [one["code"] for one in tried]
    assert set(codes) == {"BAD_SECOND_FACTOR", "RATE_LIMITED"}
    assert codes.count("BAD_SECOND_FACTOR") <= 4
    assert (await someone.begin())[1]["stage"] == "SECOND_FACTOR"
    await identity.running.advance(MINUTE)
    assert (await someone.sign_in(recoveryCode=someone.codes[0]))["__typename"] == "SignedIn"


async def test_a_recovery_code_works_once_however_it_is_typed_and_its_user_is_told(
    identity: Identity, someone: Someone
) -> None:
    code = someone.codes[3]
    typed = f"  {code.upper().replace('-', ' ')} "

    done = await someone.sign_in(recoveryCode=typed)
    again = await someone.sign_in(recoveryCode=code)

    assert len(set(someone.codes)) == 10
    assert done["__typename"] == "SignedIn"
    assert again["code"] == "BAD_SECOND_FACTOR"
    await identity.jobs()
    assert any("9 are left" in one for one in identity.mailbox.to(someone.email))


async def test_codes_and_secrets_are_not_kept_as_they_are(
    identity: Identity, someone: Someone
) -> None:
    pool = identity.running.parts.db.pool
    secret = await pool.fetchval(
        "SELECT sealed_secret FROM factors WHERE user_id = $1", someone.viewer.user_id
    )
    hashes = await pool.fetch(
        "SELECT code_hash FROM recovery_codes WHERE user_id = $1", someone.viewer.user_id
    )

    opened = identity.running.parts.peers.vault.open(secret)
    assert App(__import__("base64").b32encode(opened).decode()).code(identity) == someone.app.code(
        identity
    )
    assert opened.hex() not in secret
    assert len({row["code_hash"] for row in hashes}) == 10


async def test_adding_a_factor_ends_the_other_sessions_and_makes_this_one_strong(
    identity: Identity, here: Organization
) -> None:
    """ASVS 7.4.3"""
    email, viewer = await staff(identity, here)
    other = await identity.sign_in(email)
    session = await identity.sign_in(email)
    mine = await identity.viewer(session["accessToken"])

    await add_app(identity, mine)

    with pytest.raises(Unauthenticated):
        await identity.viewer(other["accessToken"])
    assert (await identity.viewer(session["accessToken"])).second_factor
    ended = [
        data for kind, data in await identity.told(here.id) if kind.endswith("sessions_revoked.v1")
    ]
    assert {one["sessionId"] for one in ended if one["userId"] == str(mine.user_id)} >= {
        str(viewer.session_id)
    }


async def test_every_change_of_credentials_is_told_by_mail_and_as_a_fact(
    identity: Identity, here: Organization, someone: Someone
) -> None:
    """ASVS 6.3.7"""
    await identity.mutate(MAKE_CODES, None, someone.viewer)
    (factor,) = (await identity.running.data(FACTORS, viewer=someone.viewer))["secondFactors"][
        "factors"
    ]
    await identity.mutate(REMOVE, {"factorId": factor["id"]}, someone.viewer)
    await identity.jobs()

    letters = " ".join(identity.mailbox.to(someone.email))
    for words in ("A second factor was added", "new recovery codes", "A second factor was removed"):
        assert words in letters
    kinds = [
        kind
        for kind, data in await identity.told(here.id)
        if data.get("userId") == str(someone.viewer.user_id)
    ]
    for kind in ("second_factor_added", "recovery_codes_made", "second_factor_removed"):
        assert f"user.{kind}.v1" in kinds


async def test_changing_credentials_asks_for_a_fresh_proof(
    identity: Identity, someone: Someone
) -> None:
    """ASVS 7.5.3"""
    done = await someone.sign_in(code=someone.app.code(identity))
    viewer = await identity.viewer(done["accessToken"])
    await identity.running.advance(10 * MINUTE)

    refused = await identity.mutate(MAKE_CODES, None, viewer)
    by_password = await identity.mutate(PROVE, {"password": PASSWORD}, viewer)
    by_code = await identity.mutate(PROVE, {"code": someone.app.code(identity, later=1)}, viewer)
    made = await identity.mutate(MAKE_CODES, None, viewer)

    assert refused["code"] == "STEP_UP_REQUIRED"
    assert "startProof" in refused["remedy"]
    assert by_password["code"] == "BAD_SECOND_FACTOR"
    assert "a fresh code" in by_password["remedy"]
    assert by_code["__typename"] == "IdentityProved"
    assert len(made["recoveryCodes"]) == 10
    assert (await someone.sign_in(recoveryCode=someone.codes[0]))["code"] == "BAD_SECOND_FACTOR"
    assert (await someone.sign_in(recoveryCode=made["recoveryCodes"][0]))[
        "__typename"
    ] == "SignedIn"


async def test_who_has_no_factor_proves_it_with_the_password(
    identity: Identity, here: Organization
) -> None:
    _, viewer = await staff(identity, here)
    await identity.running.advance(10 * MINUTE)

    refused = await identity.mutate(START_TOTP, None, viewer)
    wrong = await identity.mutate(PROVE, {"password": "not my password at all"}, viewer)
    right = await identity.mutate(PROVE, {"password": PASSWORD}, viewer)

    assert refused["code"] == "STEP_UP_REQUIRED"
    assert wrong["code"] == "BAD_SECOND_FACTOR"
    assert wrong["remedy"] == "Try your password again; who has none signs in anew."
    assert right["__typename"] == "IdentityProved"
    await add_app(identity, viewer)


async def test_an_app_counts_only_once_its_code_was_confirmed_and_in_the_session_that_began_it(
    identity: Identity, here: Organization
) -> None:
    email, viewer = await staff(identity, here)
    other = await identity.viewer((await identity.sign_in(email))["accessToken"])
    started = await identity.mutate(START_TOTP, None, viewer)
    code = App(started["secret"]).code(identity)

    elsewhere = await identity.mutate(ADD_TOTP, {"name": "Phone", "code": code}, other)
    wrong = await identity.mutate(ADD_TOTP, {"name": "Phone", "code": "000000"}, viewer)
    assert elsewhere["code"] == "NOTHING_BEGUN"
    assert wrong["code"] == "BAD_SECOND_FACTOR"
    assert (await begin(identity, email))[1]["stage"] == "FULL"

    right = await identity.mutate(ADD_TOTP, {"name": "Phone", "code": code}, viewer)
    assert right["__typename"] == "SecondFactorAdded"
    assert "otpauth://totp/Referral%20suite" in started["uri"]
    assert (await begin(identity, email))[1]["stage"] == "SECOND_FACTOR"


async def test_a_user_names_and_removes_factors_of_their_own_and_of_nobody_else(
    identity: Identity, here: Organization, someone: Someone
) -> None:
    """R02"""
    _, other = await staff(identity, here)
    await add_app(identity, other)
    (factor,) = (await identity.running.data(FACTORS, viewer=someone.viewer))["secondFactors"][
        "factors"
    ]

    renamed = await identity.mutate(
        RENAME, {"factorId": factor["id"], "name": "Work phone"}, someone.viewer
    )
    strange = [
        await identity.mutate(RENAME, {"factorId": factor["id"], "name": "Mine"}, other),
        await identity.mutate(REMOVE, {"factorId": factor["id"]}, other),
        await identity.mutate(REMOVE, {"factorId": factor["id"]}, here.admin),
    ]
    removed = await identity.mutate(REMOVE, {"factorId": factor["id"]}, someone.viewer)

    assert renamed["name"] == "Work phone"
    assert {one["code"] for one in strange} == {"NOT_FOUND"}
    assert removed == {
        "__typename": "SecondFactors", "factors": [], "recoveryCodesLeft": 0, "required": False,
    }  # fmt: skip
    assert (await begin(identity, someone.email))[1]["stage"] == "FULL"


async def test_only_support_resets_lost_factors_with_a_reason_and_the_user_is_told(
    identity: Identity, here: Organization, someone: Someone
) -> None:
    about = {
        "userId": str(someone.viewer.user_id),
        "reason": "Lost the phone, called back on the desk line",
    }

    by_admin = await identity.mutate(RESET, about, here.admin)
    without = await identity.mutate(RESET, about | {"reason": " "}, identity.support)
    done = await identity.mutate(RESET, about, identity.support)
    again = await identity.mutate(RESET, about, identity.support)

    assert by_admin["code"] == "SUPPORT_ONLY"
    assert without["code"] == "REASON_REQUIRED"
    assert done["__typename"] == "SecondFactorsReset"
    assert again["code"] == "SECOND_FACTOR_MISSING"
    await identity.jobs()
    assert any("Support has reset" in one for one in identity.mailbox.to(someone.email))
    kept = await identity.running.parts.db.pool.fetchval(
        "SELECT reason FROM support_acts WHERE user_id = $1 AND act = 'RESET_SECOND_FACTORS'",
        someone.viewer.user_id,
    )
    assert kept == about["reason"]
    assert (await begin(identity, someone.email))[1]["stage"] == "FULL"


async def test_support_does_not_reset_its_own_factors(identity: Identity) -> None:
    about = {"userId": str(identity.support.user_id), "reason": "Lost"}

    assert (await identity.mutate(RESET, about, identity.support))["code"] == "FORBIDDEN"


async def test_an_answer_comes_within_ten_minutes(identity: Identity, someone: Someone) -> None:
    """ASVS 6.5.5"""
    _, begun = await someone.begin()
    await identity.running.advance(4 * MINUTE)
    assert await identity.viewer(begun["accessToken"])
    await identity.running.advance(6 * MINUTE)

    with pytest.raises(Unauthenticated):
        await identity.viewer(begun["accessToken"])
