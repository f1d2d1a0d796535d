"""What a referral warns of without hindering anything: a payer that wants to know who refers, and a group that names nobody (R22)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from tests.service.referrals.asking import act, at, do, draft, send
from tests.service.referrals.conftest import World

WARNINGS = "query ($id: ID!) { referral(id: $id) { warnings { code message remedy plan { id } } } }"
SENDING = """mutation ($input: SendReferralInput!) { sendReferral(input: $input) { __typename
    ... on Referral { id version status warnings { code plan { id } } } ... on Problem { code } } }"""


def plan(world: World, *, wants: bool) -> str:
    """A plan that the receiver accepts."""
    known, insurance = uuid4(), world.service.insurance
    insurance.accepting[known] = {world.receiver.provider_id}
    if wants:
        insurance.wanting.add(known)
    return str(known)


def door(world: World, **more: str) -> dict[str, str]:
    """A group at the sender's office."""
    return {"officeId": str(world.sender.office_id), "groupId": str(uuid4())} | more


async def warned(world: World, viewer: Viewer, referral: dict[str, Any]) -> list[dict[str, Any]]:
    """What the referral warns the viewer of."""
    answer = await world.service.running.data(WARNINGS, {"id": referral["id"]}, viewer=viewer)
    found: list[dict[str, Any]] = answer["referral"]["warnings"]
    return found


async def written(world: World, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - a DraftInput's
    """A draft."""
    given = draft(world.sender, at(world.receiver), **more)
    key = str(uuid4())
    return await do(world, "createDraft", world.sender.staff, draft=given, idempotencyKey=key)


async def test_a_group_that_names_nobody_sends_and_is_warned_that_the_payer_wants_to_know_who_refers(
    world: World,
) -> None:
    """R22: the send succeeds, and its answer carries the warning; the receiver, who will bill, sees it as well."""
    wanting = plan(world, wants=True)
    given = draft(world.sender, at(world.receiver), sender=door(world), planId=wanting)
    asked = {"idempotencyKey": str(uuid4()), "draft": given}
    data = await world.service.running.data(SENDING, {"input": asked}, viewer=world.sender.staff)
    sent = data["sendReferral"]

    assert sent["status"] == "PENDING"
    assert sent["warnings"] == [{"code": "REFERRING_NPI_WANTED", "plan": {"id": wanting}}]
    assert len(await warned(world, world.receiver.staff, sent)) == 1


async def test_a_draft_warns_before_it_is_sent_until_it_names_a_provider(world: World) -> None:
    """R22: of each plan of the patient by itself."""
    first, second = plan(world, wants=False), plan(world, wants=True)
    group = door(world)
    made = await written(world, sender=group, planId=first, secondPlanId=second)
    before = await warned(world, world.sender.staff, made)
    named = draft(
        world.sender,
        at(world.receiver),
        sender=group | {"providerId": str(world.sender.provider_id)},
        planId=first,
        secondPlanId=second,
    )
    changed = await act(world, "changeDraft", world.sender.staff, made, draft=named)

    assert [(one["code"], one["plan"]["id"]) for one in before] == [
        ("REFERRING_NPI_WANTED", second)
    ]
    assert "changeDraft" in before[0]["remedy"]
    assert await warned(world, world.sender.staff, changed) == []


async def test_after_the_send_the_provider_is_named_with_another_sender(world: World) -> None:
    """R22: and what has ended warns of nothing."""
    wanting = plan(world, wants=True)
    group = door(world)
    sent = await send(world, sender=group, planId=wanting)
    before = await warned(world, world.sender.staff, sent)
    named = group | {"providerId": str(world.sender.provider_id)}
    changed = await act(world, "changeSender", world.sender.staff, sent, sender=named)
    other = await send(world, sender=door(world), planId=wanting)
    ended = await act(
        world, "cancelReferral", world.sender.staff, other, reasonCode="RAISED_IN_ERROR"
    )

    assert "changeSender" in before[0]["remedy"]
    assert await warned(world, world.sender.staff, changed) == []
    assert await warned(world, world.sender.staff, ended) == []


async def test_nobody_is_warned_where_no_payer_wants_it_or_a_provider_refers(world: World) -> None:
    """R22: not for self-pay either, which has no payer."""
    wanting, free = plan(world, wants=True), plan(world, wants=False)
    silent = [
        await send(world, planId=wanting),
        await send(world, sender=door(world), planId=free),
        await send(world, sender=door(world)),
    ]

    assert [await warned(world, world.sender.staff, one) for one in silent] == [[], [], []]


async def test_while_insurance_is_silent_nothing_is_claimed_either_way(world: World) -> None:
    """R22, cross-cutting 12: no false warning, and not that all is well; the send waits for nobody."""
    wanting, free = plan(world, wants=True), plan(world, wants=False)
    world.service.insurance.away = True
    sent = [await send(world, sender=door(world), planId=one) for one in (wanting, free)]
    found = [await warned(world, world.sender.staff, one) for one in sent]
    alone = await warned(world, world.sender.staff, await send(world, planId=wanting))
    world.service.insurance.away = False

    assert [one["status"] for one in sent] == ["PENDING", "PENDING"]
    assert [[one["code"] for one in each] for each in found] == [["REFERRING_NPI_UNKNOWN"]] * 2
    assert alone == []
    assert [one["code"] for one in await warned(world, world.sender.staff, sent[0])] == [
        "REFERRING_NPI_WANTED"
    ]


async def test_a_page_asks_a_silent_insurance_once_however_many_plans_its_referrals_have(
    world: World,
) -> None:
    """R22, cross-cutting 12: whoever reads a queue waits for one answer that does not come, and not for each."""
    group, insurance = door(world), world.service.insurance
    made = []
    for _ in range(6):
        first, second = plan(world, wants=False), plan(world, wants=True)
        made.append(await written(world, sender=group, planId=first, secondPlanId=second))
    query = " ".join(
        f'r{n}: referral(id: "{one["id"]}") {{ warnings {{ code }} }}' for n, one in enumerate(made)
    )
    answered, before = insurance.questions, insurance.unanswered
    spoken = await world.service.running.data(f"{{ {query} }}", viewer=world.sender.staff)
    answered = insurance.questions - answered
    insurance.away = True
    silent = await world.service.running.data(f"{{ {query} }}", viewer=world.sender.staff)
    insurance.away = False

    assert [len(one["warnings"]) for one in spoken.values()] == [1] * 6
    assert [len(one["warnings"]) for one in silent.values()] == [2] * 6
    assert (answered, insurance.unanswered - before) == (2, 1)


async def test_who_had_the_referral_before_is_not_told_of_the_patient_s_plan(world: World) -> None:
    """R14, R22."""
    sent = await send(world, sender=door(world), planId=plan(world, wants=True))
    other = world.practice()
    forwarded = await act(
        world,
        "forwardReferral",
        world.receiver.staff,
        sent,
        receiver=at(other),
        outsidePlanReason="PATIENT_CHOICE",
    )

    assert forwarded["sight"] == "PAST", forwarded
    assert await warned(world, world.receiver.staff, sent) == []
    assert len(await warned(world, other.staff, sent)) == 1


async def test_a_draft_of_a_group_that_sends_no_longer_stays_until_somebody_else_sends_it(
    world: World,
) -> None:
    """R22: the flag was switched off with drafts open, which was acknowledged in the directory."""
    group = door(world)
    made = await written(world, sender=group)
    world.service.directory.codes[UUID(group["groupId"])] = "GROUP_CANNOT_SEND"
    key = str(uuid4())
    refused = await act(world, "sendReferral", world.sender.staff, made, idempotencyKey=key)
    own = draft(world.sender, at(world.receiver))
    changed = await act(world, "changeDraft", world.sender.staff, made, draft=own)
    sent = await act(
        world, "sendReferral", world.sender.staff, changed, idempotencyKey=str(uuid4())
    )

    assert refused["code"] == "GROUP_CANNOT_SEND"
    assert refused["remedy"]
    assert (changed["status"], sent["status"]) == ("DRAFT", "PENDING")
