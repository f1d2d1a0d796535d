"""A provider who leaves, as directory tells it, and the case as clients read it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from google.protobuf.message import Message

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import ProviderOffboardingStarted
from tests.service.referrals.asking import Answer
from tests.service.referrals.conftest import Practice, World

CASE = """
id withoutOutcome state openedAt closedAt closedAs allowedActions provider { id }
progress { total remaining byOffice { office { id } total remaining } }
items(officeId: $officeId, first: $first, after: $after) {
  edges { node {
    referralId status side office { id } appointmentAt
    referral { id version status sides allowedActions }
    targets { office { id } provider { id } group { id } name planAcceptance }
  } }
  pageInfo { hasNextPage endCursor }
}
"""
ONE = f"""
query ($providerId: ID!, $officeId: ID, $first: Int = 100, $after: String) {{
  offboardingCase(providerId: $providerId) {{ {CASE} }}
}}
"""
LIST = """
query ($closed: Boolean! = false, $first: Int, $after: String) {
  offboardingCases(closed: $closed, first: $first, after: $after) {
    edges { node { id state provider { id } } } pageInfo { hasNextPage endCursor }
  }
}
"""
ENTITY = """
query ($them: [_Any!]!) { _entities(representations: $them) {
  ... on Provider { id offboardingCase { id state progress { remaining } } }
} }
"""
BULK = """
mutation ($input: BulkReferralsInput!) { bulkReferrals(input: $input) {
  ... on BulkReferrals { done refused items { referralId outcome {
    ... on Referral { id status } ... on Problem { code } } } }
  ... on Problem { code message }
} }
"""


async def hear(world: World, practice: Practice, fact: Message) -> tuple[str, bytes]:
    """Directory tells something of the practice's provider."""
    now = world.service.running.parts.clock.now()
    return await world.service.neighbours.say(
        fact, practice.organization_id, "provider", practice.provider_id, now
    )


async def leave(world: World, practice: Practice) -> None:
    """The practice's provider starts to leave."""
    provider = str(practice.provider_id)
    world.service.directory.codes[practice.provider_id] = "RECEIVER_LEAVING"
    await hear(world, practice, ProviderOffboardingStarted(provider_id=provider))


async def case_of(
    world: World,
    viewer: Viewer,
    provider_id: UUID,
    **more: Any,  # noqa: ANN401 - GraphQL variables
) -> Answer | None:
    """The case as the viewer sees it."""
    given = {"providerId": str(provider_id), **more}
    data = await world.service.running.data(ONE, given, viewer=viewer)
    found: Answer | None = data["offboardingCase"]
    return found


async def the_case(world: World, viewer: Viewer, practice: Practice, **more: Any) -> Answer:  # noqa: ANN401
    """The case of the practice's provider, which there must be."""
    found = await case_of(world, viewer, practice.provider_id, **more)
    assert found is not None
    return found


def nodes(case: Answer) -> list[Answer]:
    """Its items."""
    return [edge["node"] for edge in case["items"]["edges"]]


async def facts_of(world: World, case: Answer) -> list[tuple[str, Answer]]:
    """What was told of the case, in order: verb and data."""
    rows = await world.service.running.sql.fetch(
        "SELECT body FROM outbox WHERE aggregate_id = $1 ORDER BY id", UUID(case["id"])
    )
    events = [orjson.loads(row["body"]) for row in rows]
    return [(event["type"].split(".")[-2], event["data"]) for event in events]
