"""Passkeys, made and used by a software authenticator, honestly and not."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from kit.auth import Viewer
from tests.service.identity.asking import role
from tests.service.identity.conftest import Identity, Organization, an_email
from tests.service.identity.proving import (
    ADD_PASSKEY,
    FACTORS,
    MAKE_CODES,
    PROVE,
    REMOVE,
    START_PASSKEY,
    START_PROOF,
    add_passkey,
    answer,
    begin,
)
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator, packed

MINUTE = timedelta(minutes=1)


class Owner:
    """A confirmed member of staff with a passkey."""

    def __init__(self, identity: Identity, email: str, viewer: Viewer, key: Authenticator) -> None:
        self.identity, self.email, self.viewer, self.key = identity, email, viewer, key

    async def asked(self) -> tuple[Viewer, str]:
        """Signed in with the password: the viewer, and what the browser is given."""
        waiting, begun = await begin(self.identity, self.email)
        return waiting, begun["challenge"]["passkeyOptions"]


async def owner_of(identity: Identity, here: Organization) -> Owner:
    """A member of staff who has just added a passkey."""
    email = an_email()
    await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    viewer = await identity.confirm(email)
    key, added = await add_passkey(identity, viewer)
    assert added["__typename"] == "SecondFactorAdded", added
    return Owner(identity, email, viewer, key)


@pytest.fixture
async def owner(identity: Identity, here: Organization) -> Owner:
    """One of this test alone."""
    return await owner_of(identity, here)


async def test_a_passkey_signs_in_after_the_password(identity: Identity, owner: Owner) -> None:
    waiting, options = await owner.asked()
    asked = json.loads(options)

    done = await answer(identity, waiting, passkey=owner.key.get(options))

    assert asked["rpId"] == "localhost"
    assert asked["userVerification"] == "required"
    assert [one["id"] for one in asked["allowCredentials"]] == [packed(owner.key.credential_id)]
    assert done["stage"] == "FULL"
    assert (await identity.viewer(done["accessToken"])).second_factor


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://suite.example.evil"},
        {"origin": "http://localhost:4001"},
        {"origin": "https://localhost:4000"},
        {"type": "webauthn.create"},
        {"challenge": packed(bytes(32))},
        {"challenge": ""},
    ],
)
async def test_an_answer_from_another_page_or_to_another_question_is_refused(
    identity: Identity, owner: Owner, lie: dict[str, str]
) -> None:
    waiting, options = await owner.asked()

    refused = await answer(identity, waiting, passkey=owner.key.get(options, **lie))

    assert refused["code"] == "BAD_SECOND_FACTOR"


@pytest.mark.parametrize(
    "change",
    [
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"flags": 0},
        {"rp_id": "example.evil"},
        {"cross_origin": True},
    ],
    ids=["not verified", "not present", "neither", "another place", "within another page"],
)
async def test_an_answer_without_its_user_or_from_another_place_is_refused(
    identity: Identity, owner: Owner, change: dict[str, Any]
) -> None:
    waiting, options = await owner.asked()
    for name, value in change.items():
        setattr(owner.key, name, value)

    refused = await answer(identity, waiting, passkey=owner.key.get(options))

    assert refused["code"] == "BAD_SECOND_FACTOR"


async def test_an_answer_works_once(identity: Identity, owner: Owner) -> None:
    """Also when it is given twice at the same time, and to another session's question."""
    waiting, options = await owner.asked()
    said = owner.key.get(options)

    both = await asyncio.gather(
        *(answer(identity, waiting, passkey=said) for _ in range(2)), return_exceptions=True
    )
    later, _ = await owner.asked()
    again = await answer(identity, later, passkey=said)

    good = [one for one in both if isinstance(one, dict) and one["__typename"] == "SignedIn"]
    assert len(good) == 1
    assert again["code"] == "BAD_SECOND_FACTOR"


async def test_a_passkey_whose_counter_does_not_move_on_is_refused(
    identity: Identity, owner: Owner
) -> None:
    """A copy would count on by itself."""
    owner.key.uses = 41
    waiting, options = await owner.asked()
    assert (await answer(identity, waiting, passkey=owner.key.get(options)))["stage"] == "FULL"
    answers = []
    for uses in (41, 3, -1):
        owner.key.uses = uses
        waiting, options = await owner.asked()
        answers.append(await answer(identity, waiting, passkey=owner.key.get(options)))
    await identity.running.advance(MINUTE)
    owner.key.uses = 42
    waiting, options = await owner.asked()

    assert {one["code"] for one in answers} == {"BAD_SECOND_FACTOR"}
    assert (await answer(identity, waiting, passkey=owner.key.get(options)))["stage"] == "FULL"


async def test_a_passkey_that_does_not_count_is_good(identity: Identity, owner: Owner) -> None:
    for _ in range(2):
        owner.key.uses = -1
        waiting, options = await owner.asked()
        assert (await answer(identity, waiting, passkey=owner.key.get(options)))["stage"] == "FULL"


async def test_another_users_passkey_does_not_answer(
    identity: Identity, here: Organization, owner: Owner
) -> None:
    other = await owner_of(identity, here)
    waiting, options = await owner.asked()
    foreign = await answer(identity, waiting, passkey=other.key.get(options))
    other.key.credential_id = owner.key.credential_id
    disguised = await answer(identity, waiting, passkey=other.key.get(options))

    assert foreign["code"] == disguised["code"] == "BAD_SECOND_FACTOR"


async def test_a_passkey_belongs_to_one_user(
    identity: Identity, here: Organization, owner: Owner
) -> None:
    email = an_email()
    await identity.invite(here.admin, email)
    thief = await identity.confirm(email)

    _, again = await add_passkey(identity, owner.viewer, owner.key)
    _, taken = await add_passkey(identity, thief, owner.key)

    assert again["code"] == taken["code"] == "BAD_SECOND_FACTOR"


@pytest.mark.parametrize(
    ("change", "lie"),
    [
        ({"origin": "https://suite.example.evil"}, {}),
        ({"rp_id": "example.evil"}, {}),
        ({"flags": PRESENT}, {}),
        ({"flags": VERIFIED}, {}),
        ({"cross_origin": True}, {}),
        ({"algorithm": -65535}, {}),
        ({"algorithm": -8}, {}),
        ({}, {"type": "webauthn.get"}),
        ({}, {"challenge": packed(bytes(32))}),
    ],
)
async def test_a_passkey_that_was_made_elsewhere_or_otherwise_is_not_added(
    identity: Identity, owner: Owner, change: dict[str, Any], lie: dict[str, str]
) -> None:
    key = Authenticator()
    for name, value in change.items():
        setattr(key, name, value)
    started = await identity.mutate(START_PASSKEY, None, owner.viewer)

    said = {"name": "Key", "credential": key.create(started["options"], **lie)}
    refused = await identity.mutate(ADD_PASSKEY, said, owner.viewer)

    assert refused["code"] == "BAD_SECOND_FACTOR"


async def test_what_a_browser_made_is_added_once(identity: Identity, owner: Owner) -> None:
    started = await identity.mutate(START_PASSKEY, None, owner.viewer)
    said = {"name": "Second", "credential": Authenticator().create(started["options"])}

    first = await identity.mutate(ADD_PASSKEY, said, owner.viewer)
    second = await identity.mutate(ADD_PASSKEY, said, owner.viewer)

    assert first["__typename"] == "SecondFactorAdded"
    assert first["recoveryCodes"] == []
    assert second["code"] == "NOTHING_BEGUN"


async def test_bytes_that_are_no_answer_are_refused_like_any_other(
    identity: Identity, owner: Owner
) -> None:
    waiting, options = await owner.asked()
    good = json.loads(owner.key.get(options))
    made = json.loads(Authenticator().create(options))
    broken: list[object] = ["", "x", [], {}, {"id": 1}, "\0", "[" * 5000, "9" * 20_000, 7, None]
    broken += [
        good | {"response": {}},
        good | {"response": []},
        good | {"rawId": "AA"},
        good | {"type": "x"},
        made,
    ]
    for name in ("clientDataJSON", "authenticatorData", "signature"):
        whole = good["response"][name]
        broken += [
            good | {"response": good["response"] | {name: bad}}
            for bad in ("", "AA", whole[:40], "%%%", 5, None, whole + "AAAA")
        ]

    for one in broken:
        text = one if isinstance(one, str) else json.dumps(one)
        refused = await answer(identity, waiting, passkey=text)
        assert refused.get("code") in {"BAD_SECOND_FACTOR", "RATE_LIMITED"}, text
        await identity.running.parts.db.pool.execute("DELETE FROM sign_in_attempts")
    for cut in range(0, len(made["response"]["attestationObject"]), 7):
        started = await identity.mutate(START_PASSKEY, None, owner.viewer)
        made = json.loads(Authenticator().create(started["options"]))
        made["response"]["attestationObject"] = made["response"]["attestationObject"][:cut]
        said = {"name": "Key", "credential": json.dumps(made)}
        assert (await identity.mutate(ADD_PASSKEY, said, owner.viewer))[
            "code"
        ] == "BAD_SECOND_FACTOR"


async def test_a_user_has_several_passkeys_and_removes_one(
    identity: Identity, owner: Owner
) -> None:
    spare, _ = await add_passkey(identity, owner.viewer, name="Spare")
    found = (await identity.running.data(FACTORS, viewer=owner.viewer))["secondFactors"]["factors"]
    assert [one["name"] for one in found] == ["Key", "Spare"]

    await identity.mutate(REMOVE, {"factorId": found[0]["id"]}, owner.viewer)
    waiting, options = await owner.asked()
    removed = await answer(identity, waiting, passkey=owner.key.get(options))
    good = await answer(identity, waiting, passkey=spare.get(options))

    assert removed["code"] == "BAD_SECOND_FACTOR"
    assert good["stage"] == "FULL"


async def test_a_passkey_proves_once_more_that_it_is_its_user(
    identity: Identity, owner: Owner
) -> None:
    """ASVS 7.5.3"""
    await identity.running.advance(10 * MINUTE)
    assert (await identity.mutate(MAKE_CODES, None, owner.viewer))["code"] == "STEP_UP_REQUIRED"
    asked = await identity.mutate(START_PROOF, None, owner.viewer)

    said = {"passkey": owner.key.get(asked["challenge"]["passkeyOptions"])}
    proved = await identity.mutate(PROVE, said, owner.viewer)

    assert proved["__typename"] == "IdentityProved"
    assert (await identity.mutate(MAKE_CODES, None, owner.viewer))[
        "__typename"
    ] == "RecoveryCodesMade"


async def test_an_answer_to_a_question_of_ten_minutes_ago_is_refused(
    identity: Identity, owner: Owner
) -> None:
    asked = await identity.mutate(START_PROOF, None, owner.viewer)
    await identity.running.advance(10 * MINUTE)

    said = {"passkey": owner.key.get(asked["challenge"]["passkeyOptions"])}

    assert (await identity.mutate(PROVE, said, owner.viewer))["code"] == "BAD_SECOND_FACTOR"
