"""Asking about campaigns, and telling what they follow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import OfficeClosed, PlacementEnded, ProviderRemoved
from proto.identity.v1.events_pb2 import (
    OrganizationAdded,
    RoleGranted,
    RoleRevoked,
    UserDeactivated,
)
from tests.service.insurance.asking import PROBLEM, mutate
from tests.service.insurance.conftest import Insurance, Practice

CAMPAIGN = """id kind year reason dueOn escalatedOn closedAt closedBecause version assignedTo { id } allowedActions
    progress { total open attested dropped }"""
CAMPAIGNS = f"{{ campaigns(first: 20) {{ edges {{ node {{ {CAMPAIGN} }} }} }} }}"
ITEMS = """query($id: ID!, $state: CampaignItemState, $first: Int, $after: String) { campaign(id: $id) {
    items(state: $state, first: $first, after: $after) { edges { node {
        id state token version allowedActions attestedBy { id } provider { id } office { id }
        participations { id lastVerifiedOn plan { id } } } }
        pageInfo { hasNextPage endCursor } } } }"""
ATTEST = f"""mutation($input: AttestCampaignItemsInput!) {{ attestCampaignItems(input: $input) {{
    __typename {PROBLEM} ... on CampaignItemsAttested {{ attested
        outcomes {{ itemId item {{ id state }} problem {{ code moved }} }} }} }} }}"""
DECLARE = f"""mutation($input: DeclareMajorChangeInput!) {{ declareMajorChange(input: $input) {{
    __typename {PROBLEM} ... on Campaign {{ {CAMPAIGN} plans {{ id }} payers {{ id }} }} }} }}"""
ASSIGN = f"""mutation($input: AssignCampaignInput!) {{ assignCampaign(input: $input) {{
    __typename {PROBLEM} ... on Campaign {{ {CAMPAIGN} }} }} }}"""
CALL_OFF = f"""mutation($input: CallOffCampaignInput!) {{ callOffCampaign(input: $input) {{
    __typename {PROBLEM} ... on Campaign {{ {CAMPAIGN} }} }} }}"""
EVIDENCE = """query($id: ID!, $first: Int! = 500, $after: String) {
    campaignEvidence(campaignId: $id, first: $first, after: $after) { csv items hasNextPage endCursor } }"""

LONG_AGO = datetime(2030, 6, 1, tzinfo=UTC)
"""Before the first new year of the tests, and after any on which they may be run."""


async def known(
    insurance: Insurance, practice: Practice, zone: str = "UTC", at: datetime = LONG_AGO
) -> None:
    """Identity tells of the practice's organization."""
    organization = practice.organization_id
    fact = OrganizationAdded(organization_id=str(organization), name="Maple", time_zone=zone)
    await insurance.neighbours.say(fact, organization, "organization", organization, at)


async def granted(
    insurance: Insurance,
    practice: Practice,
    role: str,
    user: UUID | None = None,
    at: datetime = LONG_AGO,
    office: UUID | None = None,
) -> UUID:
    """Identity tells that somebody has a role, perhaps for just an office; answers whom."""
    user = user or uuid4()
    fact = RoleGranted(user_id=str(user), role=role, office_id=str(office or ""))
    await insurance.neighbours.say(fact, practice.organization_id, "user", user, at)
    return user


async def revoked(
    insurance: Insurance, practice: Practice, user: UUID, office: UUID | None = None
) -> None:
    """Identity tells that somebody is insurance manager no more: of the organization, or of just an office."""
    fact = RoleRevoked(user_id=str(user), role="INSURANCE_MANAGER", office_id=str(office or ""))
    await insurance.neighbours.say(fact, practice.organization_id, "user", user, LONG_AGO)


async def deactivated(insurance: Insurance, practice: Practice, user: UUID) -> None:
    """Identity tells that somebody was deactivated."""
    fact = UserDeactivated(user_id=str(user))
    await insurance.neighbours.say(fact, practice.organization_id, "user", user, LONG_AGO)


async def left(insurance: Insurance, practice: Practice, placement: UUID, until: str) -> None:
    """Directory tells that the practice's provider works at its office until a day."""
    fact = PlacementEnded(
        placement_id=str(placement),
        provider_id=str(practice.provider_id),
        office_id=str(practice.office_id),
        effective_until=until,
    )
    now = insurance.running.parts.clock.now()
    await insurance.neighbours.say(fact, practice.organization_id, "placement", placement, now)


async def removed(insurance: Insurance, practice: Practice, provider: UUID) -> None:
    """Directory tells that a provider was removed."""
    fact, now = ProviderRemoved(provider_id=str(provider)), insurance.running.parts.clock.now()
    await insurance.neighbours.say(fact, practice.organization_id, "provider", provider, now)


async def closed(insurance: Insurance, practice: Practice, office: UUID) -> None:
    """Directory tells that an office was closed."""
    fact, now = OfficeClosed(office_id=str(office)), insurance.running.parts.clock.now()
    await insurance.neighbours.say(fact, practice.organization_id, "office", office, now)


async def campaigns(insurance: Insurance, practice: Practice) -> list[dict[str, Any]]:
    """The practice's campaigns, newest first."""
    data = await insurance.running.data(CAMPAIGNS, viewer=practice.manager)
    return [edge["node"] for edge in data["campaigns"]["edges"]]


async def items(
    insurance: Insurance, viewer: Viewer, campaign: str, **asked: object
) -> list[dict[str, Any]]:
    """A campaign's items."""
    data = await insurance.running.data(ITEMS, {"id": campaign} | asked, viewer=viewer)
    return [edge["node"] for edge in data["campaign"]["items"]["edges"]]


async def attest(
    insurance: Insurance, viewer: Viewer, *wanted: dict[str, Any]
) -> list[tuple[str | None, list[str]]]:
    """Attest items as they were seen; answers each problem's code (None: attested) and what moved."""
    input_ = {"items": [{"itemId": one["id"], "token": one["token"]} for one in wanted]}
    answer = await mutate(insurance, ATTEST, input_, viewer)
    found = []
    for one in answer["outcomes"]:
        problem = one["problem"]
        found.append((problem["code"], problem["moved"]) if problem else (None, []))
    return found


async def told(insurance: Insurance, practice: Practice, verb: str) -> list[dict[str, Any]]:
    """The facts of one kind that were recorded for the practice's organization."""
    found = await insurance.running.parts.db.pool.fetch(
        "SELECT body::json->'data' AS data FROM outbox WHERE organization_id = $1 AND subject LIKE '%.' || $2 ORDER BY id",
        practice.organization_id,
        verb,
    )
    return [row["data"] for row in found]
