"""Messages between the two sides: who reads which, what is unread, and once however often they are sent."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from kit.auth import Viewer
from services.referrals.actions import patients
from tests.service.referrals.asking import PROBLEM, Answer, act, at, draft, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_clocks import facts_of
from tests.service.referrals.test_sealed import SUPPORT, everything_kept, renew

TOLD = "id unreadMessages messages(first: $first, after: $after) { edges { node { id side text by { id } } } pageInfo { endCursor hasNextPage } }"
SEND = f"""
mutation ($input: SendMessageInput!, $first: Int, $after: String) {{
  sendMessage(input: $input) {{ ... on Referral {{ {TOLD} }} {PROBLEM} }}
}}
"""
READ = f"""
mutation ($input: ReadMessagesInput!) {{
  readMessages(input: $input) {{ ... on Referral {{ unreadMessages }} {PROBLEM} }}
}}
"""
LOOK = f"query ($id: ID!, $first: Int, $after: String) {{ referral(id: $id) {{ {TOLD} }} }}"


async def say(
    world: World,
    viewer: Viewer,
    referral: Answer,
    text: str,
    **other: Any,  # noqa: ANN401 - GraphQL variables
) -> Answer:
    """Write to the other side."""
    given = {"referralId": referral["id"], "text": text, "idempotencyKey": str(uuid4()), **other}
    data = await world.service.running.data(SEND, {"input": given}, viewer=viewer)
    answer: Answer = data["sendMessage"]
    return answer


async def look(world: World, viewer: Viewer, referral: Answer, **page: Any) -> Answer:  # noqa: ANN401
    """The referral's messages as the viewer reads them."""
    data = await world.service.running.data(LOOK, {"id": referral["id"], **page}, viewer=viewer)
    answer: Answer = data["referral"]
    return answer


def texts(answer: Answer) -> list[str]:
    """What was said, newest first."""
    return [edge["node"]["text"] for edge in answer["messages"]["edges"]]


async def test_the_two_sides_talk_and_each_counts_what_it_has_not_read(world: World) -> None:
    sent, sender, receiver = await send(world), world.sender.staff, world.receiver.staff
    await say(world, sender, sent, " canary-question ")
    answered = await say(world, receiver, sent, "canary-answer")
    mine = await look(world, sender, sent)
    newest = mine["messages"]["edges"][0]["node"]
    read = {"input": {"referralId": sent["id"], "until": newest["id"]}}
    done = await world.service.running.data(READ, read, viewer=sender)

    assert texts(answered) == texts(mine) == ["canary-answer", "canary-question"]
    assert (answered["unreadMessages"], mine["unreadMessages"]) == (1, 1)
    assert (newest["side"], newest["by"]) == ("RECEIVING", None)
    assert mine["messages"]["edges"][1]["node"]["by"] == {"id": str(sender.user_id)}
    assert done["readMessages"] == {"unreadMessages": 0}
    assert (await look(world, receiver, sent))["unreadMessages"] == 1


async def test_what_is_said_changes_no_status_and_is_told_without_its_words(world: World) -> None:
    sent = await send(world)
    await say(world, world.sender.staff, sent, "canary-words")
    noted = await act(world, "acknowledgeReferral", world.receiver.staff, sent)

    told = await facts_of(world, sent, "message_sent")

    assert noted["version"] == sent["version"] + 1
    assert [one["fromSide"] for one in told] == ["SENDING", "SENDING"]
    assert "canary-words" not in await everything_kept(world)


async def test_a_retry_says_nothing_twice(world: World) -> None:
    """Cross-cutting 3."""
    sent, key = await send(world), str(uuid4())
    first = await say(world, world.sender.staff, sent, "once", idempotencyKey=key)
    again = await say(world, world.sender.staff, sent, "once", idempotencyKey=key)
    other = await say(world, world.sender.staff, sent, "twice", idempotencyKey=key)

    assert texts(first) == texts(again) == ["once"]
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_receiver_reads_what_was_said_while_it_had_the_referral(world: World) -> None:
    sent, third = await send(world), world.practice()
    await say(world, world.sender.staff, sent, "to the first")
    await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(third))
    await say(world, third.staff, sent, "from the second")

    assert texts(await look(world, third.staff, sent)) == ["from the second"]
    assert texts(await look(world, world.receiver.staff, sent)) == []
    both = await look(world, world.sender.staff, sent)
    assert texts(both) == ["from the second", "to the first"]
    refused = await say(world, world.receiver.staff, sent, "still here?")
    assert refused["code"] == "WRONG_SIDE"


async def test_nobody_writes_about_what_they_do_not_see_or_what_was_not_sent(world: World) -> None:
    sent, staff = await send(world), world.sender.staff
    given = {"draft": draft(world.sender, None), "idempotencyKey": str(uuid4())}
    data = await world.service.running.data(
        "mutation ($input: CreateDraftInput!) { createDraft(input: $input) { ... on Referral { id } } }",
        {"input": given},
        viewer=staff,
    )

    foreign = await say(world, world.practice().staff, sent, "hello")
    never = await say(world, staff, {"id": str(uuid4())}, "hello")
    unsent = await say(world, staff, data["createDraft"], "hello")
    blank = await say(world, staff, sent, " \n")
    long = await say(world, staff, sent, "x" * 4001)
    other_side = await say(world, staff, sent, "hello", side="RECEIVING")

    assert foreign == never
    assert (foreign["code"], unsent["code"]) == ("NOT_FOUND", "NOT_SENT")
    assert (blank["field"], long["field"]) == ("text", "text")
    assert other_side["code"] == "WRONG_SIDE"


async def test_who_works_on_both_sides_says_for_which(world: World) -> None:
    inside = world.sender.somebody(
        office_staff_of=frozenset({world.sender.office_id, (office := world.office(world.sender))})
    )
    provider = {"officeId": str(office), "providerId": str(uuid4())}
    sent = await send(world, provider)

    unclear = await say(world, inside, sent, "hello")
    clear = await say(world, inside, sent, "hello", side="RECEIVING")

    assert (unclear["code"], unclear["field"]) == ("SIDE_REQUIRED", "side")
    assert clear["messages"]["edges"][0]["node"]["side"] == "RECEIVING"


async def test_messages_are_read_in_pages(world: World) -> None:
    sent, staff = await send(world), world.sender.staff
    for number in range(5):
        await say(world, staff, sent, f"message {number}")

    found, after = list[str](), None
    for _ in range(3):
        page = await look(world, staff, sent, first=2, after=after)
        found, after = found + texts(page), page["messages"]["pageInfo"]["endCursor"]

    assert found == [f"message {number}" for number in range(4, -1, -1)]


async def test_a_new_key_takes_over_messages_too(world: World) -> None:
    sent, staff = await send(world), world.sender.staff
    await say(world, staff, sent, "kept")
    await renew(world, SUPPORT, world.sender.organization_id)

    await patients.reseal(world.service.running.parts.call())

    assert texts(await look(world, world.receiver.staff, sent)) == ["kept"]
