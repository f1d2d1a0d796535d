"""Asking support, on real servers (R25)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from kit.auth import Viewer
from tests.service.identity.asking import GRANT, PROBLEM, role
from tests.service.identity.conftest import Identity, Organization, new_organization

FIELDS = """id code verb subjectId state asked answer version allowedActions organization { id }
    askers { note user { id } }"""
ASK = f"mutation($input: RequestSupportInput!) {{ requestSupport(input: $input) {{ __typename {PROBLEM} ... on SupportRequest {{ {FIELDS} }} }} }}"
TAKE = f"mutation($input: TakeSupportRequestInput!) {{ takeSupportRequest(input: $input) {{ __typename {PROBLEM} ... on SupportRequest {{ {FIELDS} }} }} }}"
ANSWER = f"mutation($input: AnswerSupportRequestInput!) {{ answerSupportRequest(input: $input) {{ __typename {PROBLEM} ... on SupportRequest {{ {FIELDS} }} }} }}"
LIST = f"query($state: SupportRequestState) {{ supportRequests(state: $state, first: 100) {{ edges {{ node {{ {FIELDS} }} }} }} }}"


async def _ask(identity: Identity, viewer: Viewer, **given: object) -> dict[str, Any]:
    asked = {"code": "SUPPORT_ONLY", "verb": "grantRole", "idempotencyKey": str(uuid4())}
    return await identity.mutate(ASK, asked | given, viewer)


async def _list(identity: Identity, viewer: Viewer, **given: object) -> list[dict[str, Any]]:
    data = await identity.running.data(LIST, dict(given), viewer=viewer)
    return [edge["node"] for edge in data["supportRequests"]["edges"]]


def _as_seen(request: dict[str, Any]) -> dict[str, object]:
    return {"requestId": request["id"], "expectedVersion": request["version"]}


async def test_what_only_support_may_do_says_how_to_ask_for_it(
    identity: Identity, here: Organization
) -> None:
    """R25: the refusal has what the request is filled with."""
    member = await identity.member(here, role("OFFICE_STAFF", here.office))
    user = await identity.user(member.user_id, here.admin)
    given = {
        "userId": user["id"],
        **role("CLIENT_ADMIN"),
        "expectedVersion": user["version"],
    }
    refused = await identity.mutate(GRANT, given, here.admin)
    asked = await _ask(identity, here.admin, code=refused["code"], subjectId=user["id"])

    assert refused["code"] == "SUPPORT_ONLY"
    assert "requestSupport" in refused["remedy"]
    assert (asked["state"], asked["subjectId"], asked["asked"]) == ("OPEN", user["id"], 1)
    assert asked["allowedActions"] == []


async def test_the_same_question_of_one_organization_is_one_request_however_many_ask_at_once(
    identity: Identity, here: Organization
) -> None:
    """R25."""
    there = await new_organization(identity)
    members = [await identity.member(here, role("CALL_CENTRE")) for _ in range(2)]
    subject = str(uuid4())
    askers = [here.admin, *members]
    made = await asyncio.gather(
        *(_ask(identity, one, subjectId=subject, note=f"Note {n}") for n, one in enumerate(askers))
    )
    other = await _ask(identity, there.admin, subjectId=subject)
    another = await _ask(identity, here.admin)

    assert len({one["id"] for one in made}) == 1
    assert max(one["asked"] for one in made) == 3
    assert len({other["id"], another["id"], made[0]["id"]}) == 3
    facts = [name for name, _ in await identity.told(here.id) if name.startswith("support_request")]
    assert facts == ["support_request.opened.v1", "support_request.opened.v1"]


async def test_a_retry_asks_nothing_again(identity: Identity, here: Organization) -> None:
    """R25."""
    key = str(uuid4())
    first = await _ask(identity, here.admin, idempotencyKey=key)
    again = await _ask(identity, here.admin, idempotencyKey=key)

    assert (again["id"], again["asked"]) == (first["id"], 1)


async def test_who_asked_client_admins_and_support_see_a_request_and_nobody_else(
    identity: Identity, here: Organization
) -> None:
    """R25: the status is visible."""
    there = await new_organization(identity)
    one = await identity.member(here, role("CALL_CENTRE"))
    another = await identity.member(here, role("CALL_CENTRE"))
    asked = await _ask(identity, one, note="It does not work.")
    await _ask(identity, another)

    for viewer in (one, another, here.admin):
        assert [each["id"] for each in await _list(identity, viewer)] == [asked["id"]]
    bystander = await identity.member(here, role("CALL_CENTRE"))
    assert await _list(identity, bystander) == await _list(identity, there.admin) == []
    notes = [
        [each["note"] for each in (await _list(identity, viewer))[0]["askers"]]
        for viewer in (one, another, here.admin)
    ]
    assert notes == [["It does not work.", None], [None, None], ["It does not work.", None]]
    found = next(
        each for each in await _list(identity, identity.support) if each["id"] == asked["id"]
    )
    assert found["organization"] == {"id": str(here.id)}
    assert found["allowedActions"] == ["TAKE", "ANSWER"]
    assert found["askers"][0]["user"] == {"id": str(one.user_id)}


async def test_support_takes_and_answers_and_everybody_who_asked_gets_a_mail(
    identity: Identity, here: Organization
) -> None:
    """R25."""
    member = await identity.member(here, role("CALL_CENTRE"))
    asked = await _ask(identity, member)
    asked = await _ask(identity, here.admin)
    denied = await identity.mutate(TAKE, _as_seen(asked), here.admin)
    taken = await identity.mutate(TAKE, _as_seen(asked), identity.support)
    said = {"done": True, "answer": "She is a client admin now."}
    stale = await identity.mutate(ANSWER, {**_as_seen(asked), **said}, identity.support)
    answered = await identity.mutate(ANSWER, {**_as_seen(taken), **said}, identity.support)
    twice = await identity.mutate(ANSWER, {**_as_seen(answered), **said}, identity.support)
    unknown = await identity.mutate(
        TAKE, {"requestId": str(uuid4()), "expectedVersion": 1}, identity.support
    )
    await identity.jobs()
    letters = [
        identity.mailbox.to((await identity.user(one.user_id, here.admin))["email"])
        for one in (member, here.admin)
    ]
    anew = await _ask(identity, member)

    assert [one["code"] for one in (denied, stale, twice, unknown)] == [
        "FORBIDDEN",
        "STALE_VERSION",
        "REQUEST_ANSWERED",
        "NOT_FOUND",
    ]
    assert (taken["state"], answered["state"]) == ("IN_PROGRESS", "DONE")
    assert answered["answer"] == "She is a client admin now."
    assert all("Support has done what you asked" in one[-1] for one in letters)
    assert not any("client admin now" in one[-1] for one in letters), "no free text in mail"
    assert anew["id"] != asked["id"], "what was answered can be asked again"
    assert [one["id"] for one in await _list(identity, member, state="DONE")] == [asked["id"]]


async def test_nothing_is_asked_that_is_no_code_or_by_nobody(
    identity: Identity, here: Organization
) -> None:
    """R25."""
    wrong = await _ask(identity, here.admin, code="help, please")
    verb = await _ask(identity, here.admin, verb="DROP TABLE")
    long = await _ask(identity, here.admin, note="x" * 301)
    support = await _ask(identity, identity.support)

    assert [one["code"] for one in (wrong, verb, long, support)] == [
        "INVALID",
        "INVALID",
        "BAD_TEXT",
        "FORBIDDEN",
    ]
