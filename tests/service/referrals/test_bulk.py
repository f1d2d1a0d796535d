"""One verb on many referrals: each by itself, and once however often it is asked for."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from kit.auth import Viewer
from tests.service.referrals.asking import PROBLEM, Answer, act, at, read, send
from tests.service.referrals.conftest import World

BULK = f"""
mutation ($input: BulkReferralsInput!) {{
  bulkReferrals(input: $input) {{
    ... on BulkReferrals {{
      done refused
      items {{
        referralId
        outcome {{
          __typename ... on Referral {{ id status version reasonCode archived sight }} {PROBLEM}
          ... on WrongStatusProblem {{ allowedActions }}
        }}
      }}
    }}
    {PROBLEM}
  }}
}}
"""


async def bulk(
    world: World,
    viewer: Viewer,
    action: str,
    items: list[Answer],
    **other: Any,  # noqa: ANN401 - GraphQL variables
) -> Answer:
    """Do one thing to many referrals."""
    given = {
        "action": action,
        "items": [{"referralId": one["id"], "expectedVersion": one["version"]} for one in items],
        "idempotencyKey": str(uuid4()),
        **other,
    }
    data = await world.service.running.data(BULK, {"input": given}, viewer=viewer)
    answer: Answer = data["bulkReferrals"]
    return answer


def outcomes(answer: Answer) -> list[Any]:
    """What became of each, in short."""
    return [one["outcome"].get("code") or one["outcome"]["status"] for one in answer["items"]]


async def test_what_cannot_be_done_leaves_the_others_done(world: World) -> None:
    """R13: per-item result; partial failure leaves the rest untouched."""
    staff = world.receiver.staff
    fine, stale, ended = [await send(world) for _ in range(3)]
    await act(world, "acknowledgeReferral", staff, stale)
    done = await act(
        world, "cancelReferral", world.sender.staff, ended, reasonCode="RAISED_IN_ERROR"
    )
    strange = {"id": str(uuid4()), "version": 1}

    answer = await bulk(
        world, staff, "DECLINE", [fine, stale, done, strange], reasonCode="NO_CAPACITY"
    )

    assert outcomes(answer) == ["DECLINED", "STALE_VERSION", "WRONG_STATUS", "NOT_FOUND"]
    assert (answer["done"], answer["refused"]) == (1, 3)
    assert answer["items"][1]["outcome"]["currentVersion"] == stale["version"] + 1
    assert answer["items"][2]["outcome"]["allowedActions"] == []
    untouched = await read(world, staff, stale)
    assert untouched is not None
    assert untouched["status"] == "IN_PROGRESS"


async def test_a_retry_with_the_same_key_does_nothing_twice(world: World) -> None:
    """Cross-cutting 3."""
    staff, sent = world.receiver.staff, [await send(world) for _ in range(3)]
    key = {"idempotencyKey": str(uuid4()), "reasonCode": "AGE"}

    answers = await asyncio.gather(*(bulk(world, staff, "DECLINE", sent, **key) for _ in range(3)))
    other = await bulk(world, staff, "DECLINE", [one | {"version": 7} for one in sent], **key)

    for answer in answers:
        assert outcomes(answer) == ["DECLINED"] * 3
    assert outcomes(other) == ["IDEMPOTENCY_KEY_REUSED"] * 3
    for one in sent:
        told = await read(world, staff, one)
        assert told is not None
        assert [step["happened"] for step in told["history"]] == ["SENT", "DECLINED"]


async def test_many_are_handed_to_a_colleague_or_forwarded_beyond(world: World) -> None:
    """R13."""
    receiver, third = world.receiver, world.practice()
    colleague = {"officeId": str(receiver.office_id), "providerId": str(uuid4())}
    sent = [await send(world) for _ in range(4)]

    inside = await bulk(world, receiver.staff, "REASSIGN", sent[:2], receiver=colleague)
    beyond = await bulk(
        world, receiver.staff, "FORWARD", sent[2:], receiver=at(third), comment="canary"
    )

    assert (inside["done"], beyond["done"]) == (2, 2)
    assert [one["outcome"]["sight"] for one in beyond["items"]] == ["PAST", "PAST"]
    arrived = await read(world, third.staff, sent[2])
    assert arrived is not None
    assert (arrived["hop"], arrived["status"]) == (2, "PENDING")


async def test_many_are_archived_and_taken_back(world: World) -> None:
    sent, mine = [await send(world) for _ in range(2)], world.receiver.staff

    away = await bulk(world, mine, "ARCHIVE", sent)
    back = await bulk(world, mine, "UNARCHIVE", sent)

    assert [one["outcome"]["archived"] for one in away["items"]] == [True, True]
    assert [one["outcome"]["archived"] for one in back["items"]] == [False, False]


async def test_a_bulk_that_is_refused_as_a_whole_names_the_field(world: World) -> None:
    staff, sent = world.receiver.staff, await send(world)

    nothing = await bulk(world, staff, "ACKNOWLEDGE", [])
    twice = await bulk(world, staff, "ACKNOWLEDGE", [sent, sent])
    many = await bulk(
        world, staff, "ACKNOWLEDGE", [{"id": str(uuid4()), "version": 1} for _ in range(51)]
    )
    nobody = await bulk(world, staff, "REASSIGN", [sent])
    no_sender = await bulk(world, staff, "CHANGE_SENDER", [sent])
    no_reason = await bulk(world, staff, "DECLINE", [sent])

    assert [one["field"] for one in (nothing, twice, many)] == ["items"] * 3
    assert (nobody["field"], no_sender["field"]) == ("receiver", "sender")
    assert outcomes(no_reason) == ["REASON_REQUIRED"]
