"""Identity begins to listen to what is older than the stream: people are told from there on, and groups are not half known."""

from __future__ import annotations

from uuid import UUID, uuid4

import orjson
import pytest
from google.protobuf.message import Message

from kit.bus import FORGOTTEN
from kit.inbox import Consumer, MissedError
from proto.directory.v1.events_pb2 import GroupStaffed, TaskRaised
from tests.service.identity.conftest import Identity, Organization
from tests.service.identity.noticing import A_DAY, Case, new_case
from tests.support.facts import Neighbours


async def hear_from_its_middle(
    identity: Identity, case: Case, aggregate: str, id_: UUID, fact: Message
) -> bool:
    """The fortieth fact of something whose first thirty-nine nobody has any more."""
    running = identity.running
    service, parts = running.service, running.parts
    made = Neighbours(running).event(fact, case.here.id, aggregate, id_, parts.clock.now())
    body = orjson.dumps(orjson.loads(made[1]) | {"sequence": "40"})
    consumer = Consumer(service.name, parts.db, parts.bus, service.hearings(parts))
    return await consumer.apply(made[0], body, previous=FORGOTTEN)


async def test_people_are_told_of_what_began_long_before_identity_listened(
    identity: Identity, here: Organization
) -> None:
    case, task = await new_case(identity, here), uuid4()
    raised = TaskRaised(task_id=str(task), kind="GROUP_WITHOUT_STAFF", subject_id=str(task))

    assert await hear_from_its_middle(identity, case, "task", task, raised)
    await case.later(A_DAY)

    assert len(await case.subjects(case.here.admin)) == 1


async def test_a_group_is_not_known_by_half(identity: Identity, here: Organization) -> None:
    case, group = await new_case(identity, here), uuid4()

    with pytest.raises(MissedError):
        await hear_from_its_middle(
            identity, case, "group", group, GroupStaffed(group_id=str(group))
        )
