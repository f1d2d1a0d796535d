"""Callers who are not who they should be: nobody, half-enrolled users, forgers, and other programs on the same machine."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from cli.journey.care import PATIENTS
from cli.servers.nats_config import SERVICES
from kit.auth import VIEWER_HEADER, Kind, Viewer, sign_viewer
from tests.e2e import every_door
from tests.e2e.town import Town, begin_with_temporary_password

CANARIES = (*PATIENTS, "Zelenka", "1961-04-12")
MISTAKES = {"ONE_OF", "OFFICE_REQUIRED", "RECEIVER_REQUIRED", "PROVIDER_REQUIRED"}
"""What is wrong with a request is told before who asks is looked at; it says nothing about anybody."""

SIGN_IN = "signIn(input: $i) { __typename ... on Problem { code message field remedy } }"
Rpc = Callable[..., Awaitable[bytes]]
WITH_RPC = ("identity", "directory", "insurance", "referrals")


async def refusals(town: Town, token: str) -> set[str]:
    """Why each question and each verb is refused; a success is told by what it answered."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    doors = [*every_door.plain_questions(town, "A"), *every_door.verbs(town, "A")]
    found = set()
    for door in doors:
        answer = json.loads(await town.raw(door.query, door.variables, headers=headers))
        if answer.get("errors"):
            told = answer["errors"][0]["extensions"]
            found.add(told.get("reason", told["code"]))
        else:
            done = next(iter(answer["data"].values()))
            found.add(done.get("code", str(done)) if done else f"nothing: {door.name}")
    return found - MISTAKES


async def test_nobody_reaches_anything_without_signing_in(town: Town) -> None:
    assert await refusals(town, "") == {"UNAUTHENTICATED", "nothing: viewer"}


async def test_a_temporary_password_reaches_nothing_but_a_new_password(town: Town) -> None:
    """R05: whatever roles the invitation promised."""
    token = await begin_with_temporary_password(town)

    assert await refusals(town, token) == {"PASSWORD_CHANGE_REQUIRED"}


async def test_a_viewer_that_a_client_brings_along_is_not_believed_even_when_rightly_signed(
    town: Town,
) -> None:
    staff = town.people["A staff"]
    viewer = Viewer(
        kind=Kind.USER,
        user_id=UUID(staff.user_id),
        organization_id=UUID(staff.organization_id),
        office_staff_of=frozenset({UUID(town.ids["A office"])}),
    )
    query = "query($id: ID!) { referral(id: $id) { id } }"
    for audience in (*SERVICES, "gateway"):
        key = bytes.fromhex(town.system.folder.viewer_key)
        signed = sign_viewer(viewer, audience=audience, key=key, at=datetime.now(UTC))
        answer = await town.raw(
            query, {"id": town.ids["kept referral"]}, headers={VIEWER_HEADER: signed}
        )
        assert json.loads(answer)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_wrong_password_is_answered_alike_whether_or_not_somebody_has_the_address(
    town: Town,
) -> None:
    query = f"mutation($i: SignInInput!) {{ {SIGN_IN} }}"
    addresses = ("nobody@mail.example", town.people["A idle"].email, town.system.support[0])
    answers = {
        await town.raw(query, {"i": {"email": email, "password": "not the right password"}})
        for email in addresses
    }

    assert len(answers) == 1
    assert b"BAD_CREDENTIALS" in answers.pop()


@pytest.mark.parametrize(
    "document",
    [
        f"mutation($i: SignInInput!) {{ a: {SIGN_IN} b: {SIGN_IN} }}",
        f"""mutation($i: SignInInput!) {{ ...F ...G }}
            fragment F on Mutation {{ a: {SIGN_IN} }} fragment G on Mutation {{ b: {SIGN_IN} }}""",
        f"mutation($i: SignInInput!) {{ a: {SIGN_IN} b: {SIGN_IN[:18]} @skip(if: true) {SIGN_IN[18:]} }}",
    ],
    ids=["aliases", "fragments", "skipped"],
)
async def test_passwords_are_tried_one_a_request(town: Town, document: str) -> None:
    given = {"i": {"email": town.people["A idle"].email, "password": "not the right password"}}

    answer = json.loads(await town.raw(document, given))

    assert answer["errors"][0]["extensions"]["code"] == "ROOT_FIELD_LIMIT"


@pytest.mark.parametrize(
    "name", ["Eve\r\nBcc: eve@mail.example", "Eve\u2028Bcc: x", "Eve\u0085x", "Eve\u202efdp.", "\0"]
)
async def test_a_name_cannot_forge_a_header_of_mail(town: Town, name: str) -> None:
    """R03."""
    given = {"email": "eve@lakeside.example", "name": name, "idempotencyKey": town.key()}

    assert await town.outcome("inviteUser", given, "A admin") in {"BAD_TEXT", "INVALID"}


async def test_a_request_id_that_a_client_makes_up_is_not_taken_into_the_logs(town: Town) -> None:
    forged = 'x","level":"error","event":"forged'
    await town.raw("{ __typename nonsense }", headers={"x-request-id": forged})

    assert "forged" not in town.system.folder.log("gateway").read_text()


async def test_no_patient_and_no_secret_is_in_a_log_a_letter_or_a_dead_letter(town: Town) -> None:
    """Refusals and faults included."""
    for text in CANARIES:
        await town.told(
            "query($t: String!) { payers(text: $t) { edges { cursor } } nonsense }", t=text
        )
        draft = {"draft": town.draft(specialtyCode=text), "idempotencyKey": town.key()}
        await town.outcome("sendReferral", draft, "B staff")
    folder = town.folder
    secrets = {one.read_text() for one in (folder / "secrets").iterdir()}
    secrets |= {person.password for person in town.people.values()}
    secrets |= {await person.token() for person in town.people.values()}
    written = {one: one.read_text(errors="replace") for one in (folder / "logs").iterdir()}
    letters = {one: one.read_text(errors="replace") for one in (folder / "mail").iterdir()}
    assert len(written) >= len(SERVICES) + 3
    assert len(letters) > 5

    leaks = [
        (file.name, text)
        for file, content in (written | letters).items()
        for text in (*CANARIES, *secrets)
        if text in content
    ]
    assert leaks == []


@pytest.mark.skipif(sys.platform != "linux", reason="other processes are looked at in /proc")
async def test_no_secret_is_in_a_command_line_and_no_service_knows_anothers(town: Town) -> None:
    state = json.loads((town.folder / "running.json").read_text())
    secrets = {one.name: one.read_text() for one in (town.folder / "secrets").iterdir()}
    for name, pid in state["processes"].items():
        place = Path(f"/proc/{pid}")
        arguments = (place / "cmdline").read_text()
        known = (place / "environ").read_text()
        assert not [one for one in secrets.values() if one in arguments], name
        others = {f"postgres-{one}.password" for one in SERVICES if one != name}
        others |= {f"nats-{one}.password" for one in (*SERVICES, "gateway") if one != name}
        if name != "identity":
            others |= {"identity.key", "support.password", "nats-issuer.seed"}
        assert not [one for one in others if secrets.get(one, "-" * 9) in known], name


async def test_many_who_ask_at_once_are_each_told_only_what_is_theirs(town: Town) -> None:
    """Pooled connections and batched loads keep viewers apart."""
    people = [role for role in town.people if role != "support"]
    query = "{ viewer { id user { id email } organization { id } } users(first: 100) { edges { node { organization { id } } } } }"

    async def told(role: str) -> bool:
        data = (await town.told(query, role))["data"]
        person = town.people[role]
        homes = {edge["node"]["organization"]["id"] for edge in data["users"]["edges"]}
        own = data["viewer"]["organization"]["id"]
        return (data["viewer"]["id"], homes, own) == (
            person.user_id,
            {person.organization_id},
            person.organization_id,
        )

    assert all(await asyncio.gather(*(told(role) for role in people * 10)))
