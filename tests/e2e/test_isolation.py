"""What one organization may not learn of another, and who may not see patients: tried through the public door."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from cli.journey.care import PATIENTS
from cli.journey.opening import grant
from kit.ids import new_id
from tests.e2e import every_door
from tests.e2e.every_door import Door
from tests.e2e.town import SECRET_NAMES, Town

HIDDEN = {
    "officeId": "hidden office",
    "officeIds": "hidden office",
    "providerId": "hidden provider",
    "providerIds": "hidden provider",
    "groupId": "hidden group",
    "placementId": "hidden placement",
    "participationId": "hidden row",
    "partnerId": "hidden partner",
    "referralId": "inner referral",
    "organizationId": "A organization",
}
"""What each argument could find out about A."""

SEVERAL = ("hidden office", "hidden provider", "hidden group", "inner referral", "A organization")
"""For arguments that are just called id, add or remove."""

NO_ANSWER = ("VALIDATION", "TOKEN_INVALID", "_LIMIT", "INTERNAL", "UNAVAILABLE")
"""What would make all answers alike."""

PATIENT = (*PATIENTS, "Zelenka", "1961-04-12")
NO_PATIENTS = ("A admin", "B admin", "A insurance manager", "A call centre", "A idle", "support")


async def knock(town: Town, door: Door, id_: str, by: str) -> str:
    """The answer, with the id taken out of it."""
    answer = await town.raw(door.query, door.knock(id_, town.key()), by=by)
    return answer.decode().replace(id_, "ID")


def secrets_behind(town: Town, door: Door) -> list[str]:
    """The ids of A that could be tried there."""
    users = [town.people["A staff"].user_id]
    if door.wants in {"userId", "staffUserIds"}:
        return users
    if door.wants in HIDDEN:
        return [town.ids[HIDDEN[door.wants]]]
    return [town.ids[name] for name in SEVERAL] + users


async def differences(town: Town, doors: Iterable[Door], by: str) -> list[str]:
    """Where an id of A is answered otherwise than an id that never was."""
    found = []
    for door in doors:
        unknown = await knock(town, door, str(new_id()), by)
        assert not any(word in unknown for word in NO_ANSWER), (door.name, unknown)
        for id_ in secrets_behind(town, door):
            known = await knock(town, door, id_, by)
            if known != unknown:
                found.append(f"{door.name}: {known} instead of {unknown}")
    return found


@pytest.mark.parametrize("by", ["B admin", "B staff", "B idle"])
async def test_every_question_answers_an_id_of_another_organization_as_one_that_never_was(
    town: Town, by: str
) -> None:
    """R02."""
    doors = list(every_door.questions(town, "B"))
    assert len(doors) > 12
    assert await differences(town, doors, by) == []


@pytest.mark.parametrize("by", ["B admin", "B staff"])
async def test_every_verb_answers_an_id_of_another_organization_as_one_that_never_was(
    town: Town, by: str
) -> None:
    """R02."""
    assert await differences(town, every_door.verbs(town, "B"), by) == []


@pytest.mark.parametrize("by", ["B admin", "B staff"])
async def test_no_answer_tells_another_organization_what_is_hidden_or_how_to_write_to_its_users(
    town: Town, by: str
) -> None:
    """R02, R11, R16, R23."""
    network = {
        "providers": "network: true, ",
        "offices": "network: true, ",
        "groups": "network: true, ",
    }
    told = b""
    for door in every_door.plain_questions(town, "B"):
        query = door.query
        for name, wider in network.items():
            query = query.replace(f"{{ {name} {{", f"{{ {name}({wider}first: 100) {{")
        told += await town.raw(query, door.variables, by=by)

    assert b"Lindholm" in told
    for secret in (*SECRET_NAMES, "@lakeside.example"):
        assert secret.encode() not in told


async def test_only_who_works_a_queue_is_ever_told_about_a_patient(town: Town) -> None:
    """R26, and the permission matrix: not client admins, insurance managers, call centre, support, or staff of no office."""
    told = {by: b"" for by in (*NO_PATIENTS, "A staff")}
    for by in told:
        for door in every_door.questions(town, "A"):
            for name in ("kept referral", "inner referral", "A office", "group"):
                variables = door.knock(town.ids[name], town.key())
                told[by] += await town.raw(door.query, variables, by=by)

    leaks = {by for by in NO_PATIENTS for name in PATIENT if name.encode() in told[by]}
    assert all(name.encode() in told["A staff"] for name in (PATIENTS[0], "Zelenka"))
    assert leaks == set()


async def test_nobody_sends_in_the_name_of_another_organization(town: Town) -> None:
    receiver = {"officeId": town.ids["A office"], "providerId": town.ids["first cardiologist"]}

    async def send(**sender: str) -> str:
        draft = town.draft(sender=sender, receiver=receiver)
        given = {"draft": draft, "idempotencyKey": town.key()}
        return await town.outcome("sendReferral", given, "B staff")

    own, theirs, nowhere = town.ids["B office"], town.ids["A office"], str(new_id())
    doctor = town.ids["second cardiologist"]

    assert await send(officeId=theirs, providerId=doctor) == "FORBIDDEN"
    assert await send(officeId=nowhere, providerId=doctor) == "FORBIDDEN"
    assert await send(officeId=own, providerId=doctor) == "NOT_FOUND"
    assert await send(officeId=own, providerId=nowhere) == "NOT_FOUND"
    assert await send(officeId=own, groupId=town.ids["group"]) == "NOT_FOUND"
    assert await send(officeId=own, providerId=town.ids["family doctor"]) == "Referral"


async def test_nobody_learns_by_sending_what_another_organization_has_in_the_making(
    town: Town,
) -> None:
    """R02, R11, R16, R23."""

    async def answer(office: str, *, by: str = "B staff", **who: str) -> str:
        """What is answered, with the ids taken out of it."""
        draft = town.draft(by[0], receiver={"officeId": office, **who})
        query = f"""mutation($input: SendReferralInput!) {{ sendReferral(input: $input) {{
            __typename {every_door.PROBLEM} }} }}"""
        given = {"draft": draft, "idempotencyKey": town.key()}
        told = (await town.raw(query, {"input": given}, by=by)).decode()
        for id_ in (office, *who.values()):
            told = told.replace(id_, "ID")
        return told

    here, planned, nowhere = town.ids["A office"], town.ids["hidden office"], str(new_id())
    hidden = {"providerId": town.ids["hidden provider"]}, {"groupId": town.ids["hidden group"]}
    unknown = await answer(here, providerId=nowhere)
    shown = {"providerId": town.ids["second cardiologist"]}

    assert '"NOT_FOUND"' in unknown
    for office in (here, planned, nowhere):
        assert [await answer(office, **who) for who in hidden] == [unknown, unknown]
    assert await answer(planned, **shown) == await answer(nowhere, **shown)
    assert '"OFFICE_NOT_LIVE"' in await answer(planned, by="A staff", **shown)
    own = [await answer(here, by="A staff", **who) for who in hidden]
    assert '"NOT_APPROVED"' in own[0]
    assert '"GROUP_NOT_STAFFED"' in own[1]


async def test_only_the_receiver_works_a_referral_and_only_the_sender_takes_it_back(
    town: Town,
) -> None:
    async def attempt(verb: str, by: str, **more: Any) -> str:  # noqa: ANN401 - any part of an input
        given = {"referralId": town.ids["kept referral"], "expectedVersion": 1, **more}
        return await town.outcome(verb, given, by)

    receiver = {"officeId": town.ids["B office"], "providerId": town.ids["own cardiologist"]}
    for by in ("A admin", "A insurance manager", "A call centre", "A idle", "B admin", "B idle"):
        assert await attempt("acknowledgeReferral", by) == "NOT_FOUND", by
        assert await attempt("forwardReferral", by, receiver=receiver) == "NOT_FOUND", by
    assert await attempt("acknowledgeReferral", "B staff") == "WRONG_SIDE"
    assert await attempt("forwardReferral", "B staff", receiver=receiver) == "WRONG_SIDE"
    assert await attempt("cancelReferral", "A staff", reasonCode="RAISED_IN_ERROR") == "WRONG_SIDE"
    assert await attempt("reassignReferral", "A staff", receiver=receiver) == "OTHER_ORGANIZATION"


async def test_nobody_raises_their_own_powers_or_acts_where_they_do_not_manage(town: Town) -> None:
    """R07, R08, R09."""
    ids, people = town.ids, town.people

    async def grants(by: str, whom: str, role: str, office: str | None = None) -> str:
        given = {"userId": people[whom].user_id, "role": role, "officeId": office}
        return await town.outcome("grantRole", given | {"expectedVersion": 1}, by)

    for by in ("A office admin", "A staff", "A insurance manager", "A idle"):
        assert await grants(by, by, "CLIENT_ADMIN") == "FORBIDDEN"
        assert await grants(by, by, "OFFICE_ADMIN", ids["A office"]) == "FORBIDDEN"
    assert (
        await grants("A office admin", "A idle", "OFFICE_STAFF", ids["hidden office"])
        == "FORBIDDEN"
    )
    assert await grants("B admin", "A idle", "OFFICE_STAFF", ids["B office"]) == "NOT_FOUND"
    assert await grants("B admin", "B idle", "OFFICE_STAFF", ids["A office"]) == "NOT_FOUND"
    place = {"officeId": ids["hidden office"], "providerId": ids["first cardiologist"]}
    given = place | {"idempotencyKey": town.key()}
    assert await town.outcome("addPlacement", given, "A office admin") == "FORBIDDEN"
    for by, whom, code in (
        ("A office admin", "A admin", "FORBIDDEN"),
        ("A staff", "A idle", "FORBIDDEN"),
        ("B admin", "A staff", "NOT_FOUND"),
    ):
        leaver = {"userId": people[whom].user_id, "expectedVersion": 1}
        assert await town.outcome("deactivateUser", leaver, by) == code


async def test_one_person_in_two_organizations_sends_the_same_key_in_each(town: Town) -> None:
    """What was made in one organization is never the answer in another."""
    person = await town.client_admin_of_both()
    key, homes = town.key(), []
    for side in ("A", "B"):
        login = {"email": person.email, "password": person.password}
        session = await town.stage.client.do(
            "signIn",
            login | {"organizationId": town.ids[f"{side} organization"]},
            "... on SignedIn { accessToken }",
        )
        mutation = """mutation($input: AddProviderInput!) { addProvider(input: $input) {
            ... on Provider { organization { id } } } }"""
        given = {"firstName": "Twice", "lastName": "Sent", "idempotencyKey": key}
        headers = {"authorization": f"Bearer {session['accessToken']}"}
        homes.append(await town.raw(mutation, {"input": given}, headers=headers))

    assert town.ids["A organization"].encode() in homes[0]
    assert town.ids["B organization"].encode() in homes[1]


async def test_of_many_who_decide_on_the_same_version_one_wins(town: Town) -> None:
    receiver = {"officeId": town.ids["A office"], "providerId": town.ids["third cardiologist"]}
    given = {"draft": town.draft(receiver=receiver), "idempotencyKey": town.key()}
    sent = await town.people["B staff"].do("sendReferral", given, "... on Referral { id }")
    order = {"referralId": sent["id"], "expectedVersion": 1}

    tries = [
        town.outcome("acknowledgeReferral", order, by)
        for by in ("A staff", "A second staff", "A office admin") * 2
    ]
    assert Counter(await asyncio.gather(*tries)) == {"Referral": 1, "STALE_VERSION": 5}


async def test_a_live_queue_ends_with_the_right_to_it_and_tells_nothing_after(town: Town) -> None:
    """R07, R14: neither an office's queue after the role is gone, nor a group's after its staff has changed."""
    watcher, admin, ids = town.people["A second staff"], town.people["A admin"], town.ids
    subscription = """subscription($officeId: ID, $groupId: ID) {
        workQueueChanged(officeId: $officeId, groupId: $groupId) { referral { patient { familyName } } } }"""
    office = await town.stage.watch("office", subscription, watcher, officeId=ids["A office"])
    group = await town.stage.watch("group", subscription, watcher, groupId=ids["group"])

    revoked = {
        "userId": watcher.user_id,
        "role": "OFFICE_STAFF",
        "officeId": ids["A office"],
        "expectedVersion": await town.version("user", watcher.user_id, "A admin"),
    }
    await admin.do("revokeRole", revoked, "... on RoleRevoked { user { id } }")
    await office.until("the office's queue ends", lambda live: live.ended)
    changed = {
        "groupId": ids["group"],
        "expectedVersion": await town.version("group", ids["group"], "A admin"),
        "remove": [watcher.user_id],
    }
    await admin.do("changeGroupStaff", changed, "... on Group { id }")
    await group.until("the group's queue ends", lambda live: live.ended)
    receiver = {"officeId": ids["A office"], "groupId": ids["group"]}
    sent = {"draft": town.draft(receiver=receiver), "idempotencyKey": town.key()}
    await town.people["B staff"].do("sendReferral", sent, "... on Referral { id }")

    told = str([office.told, group.told])
    assert "Zelenka" not in told
    queue = "query($g: ID!) { workQueue(kind: RECEIVED, groupId: $g) { edges { cursor } } }"
    refused = await town.told(queue, "A second staff", g=ids["group"])
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    await grant(town.stage, "A admin", "A second staff", "OFFICE_STAFF", "A office")
