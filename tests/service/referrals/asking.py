"""What the tests of referrals ask, in the words of a client."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from tests.service.referrals.conftest import CARDIOLOGY, Practice, World

SEEN = """
... on Referral {
  id version status sight sides allowedActions hop reasonCode appointmentAt callbackAt archived
  sendingOffice { id } sendingProvider { id } sendingGroup { id } sendingOrganization { id }
  receivingOffice { id } receivingProvider { id } receivingGroup { id } receivingOrganization { id }
  plan { id } planAcceptance { state asked accepting } claimedBy { id }
  patient { givenName familyName bornOn phone postalCode memberNumber clinicalNote }
  appointments { id at state noShowCode }
  hops { hop office { id } provider { id } group { id } receivedAt leftAt declinedCode }
  history { version happened status by { id } comment }
}
"""
PROBLEM = """
... on Problem { code message field remedy }
... on StaleVersionProblem { currentVersion }
"""
WRONG_STATUS = "... on WrongStatusProblem { allowedActions }"
REFUSED = "... on ReceiverRefusedProblem { alternatives { officeId providerId groupId name } }"
MOVING = {"sendReferral", "claimReferral", "reassignReferral", "forwardReferral", "resendReferral"}
PLAIN = {"createDraft", "archiveReferral", "unarchiveReferral"}
INPUTS = {
    "rescheduleReferral": "ScheduleReferralInput",
    "cancelAppointment": "ReferralVersionInput",
    "completeReferral": "ReferralVersionInput",
    "reportNoShow": "ReasonedReferralInput",
    "declineReferral": "ReasonedReferralInput",
    "cancelReferral": "ReasonedReferralInput",
    "unarchiveReferral": "ArchiveReferralInput",
}
Answer = dict[str, Any]


async def do(world: World, verb: str, viewer: Viewer, **given: Any) -> Answer:  # noqa: ANN401 - GraphQL variables
    """Run a mutation; answers the referral, or the problem."""
    kind = INPUTS.get(verb, f"{verb[0].upper()}{verb[1:]}Input")
    problem = PROBLEM if verb not in PLAIN else "... on Problem { code message field remedy }"
    if verb not in PLAIN:
        problem += WRONG_STATUS
    asked = f"__typename {SEEN} {problem} {REFUSED if verb in MOVING else ''}"
    query = f"mutation ($input: {kind}!) {{ {verb}(input: $input) {{ {asked} }} }}"
    data = await world.service.running.data(query, {"input": given}, viewer=viewer)
    answer: Answer = data[verb]
    return answer


async def act(world: World, verb: str, viewer: Viewer, referral: Answer, **given: Any) -> Answer:  # noqa: ANN401
    """Run a mutation on a referral as it was read."""
    return await do(
        world, verb, viewer, referralId=referral["id"], expectedVersion=referral["version"], **given
    )


def draft(practice: Practice, receiver: dict[str, str] | None, **other: Any) -> Answer:  # noqa: ANN401
    """A DraftInput."""
    return {
        "sender": at(practice),
        "receiver": receiver,
        "specialtyCode": CARDIOLOGY,
        "patient": {
            "givenName": "Canarina",
            "familyName": "Zeta-Canary",
            "bornOn": "1961-02-03",
            "clinicalNote": "canary-note",
        },
        **other,
    }


def at(practice: Practice) -> dict[str, str]:
    """A ReceiverInput: the practice's provider at its office."""
    return {"officeId": str(practice.office_id), "providerId": str(practice.provider_id)}


def group_at(practice: Practice, group_id: UUID) -> dict[str, str]:
    """A ReceiverInput: a group at the practice's office."""
    return {"officeId": str(practice.office_id), "groupId": str(group_id)}


async def send(
    world: World,
    receiver: dict[str, str] | None = None,
    *,
    outside: str | None = None,
    **other: Any,  # noqa: ANN401
) -> Answer:
    """Send a referral from the sender to the receiver (or to another one), with a reason for being `outside` of the plan if there is
    one; answers it as the sender sees it."""
    written = draft(world.sender, receiver or at(world.receiver), **other)
    given = {"idempotencyKey": str(uuid4()), "draft": written, "outsidePlanReason": outside}
    return await do(world, "sendReferral", world.sender.staff, **given)


async def read(world: World, viewer: Viewer, referral: Answer | str) -> Answer | None:
    """The referral as the viewer sees it."""
    id_ = referral if isinstance(referral, str) else referral["id"]
    query = f"query ($id: ID!) {{ referral(id: $id) {{ {SEEN} }} }}"
    data = await world.service.running.data(query, {"id": id_}, viewer=viewer)
    answer: Answer | None = data["referral"]
    return answer


async def queue(
    world: World,
    viewer: Viewer,
    kind: str,
    **where: Any,  # noqa: ANN401
) -> list[str]:
    """The ids in a queue."""
    found = await world.service.running.data(QUEUE, {"kind": kind, **where}, viewer=viewer)
    return [edge["node"]["id"] for edge in found["workQueue"]["edges"]]


QUEUE = """
query (
  $kind: WorkQueueKind!, $officeId: ID, $groupId: ID, $providerId: ID, $first: Int, $after: String,
  $filter: WorkQueueFilter, $order: WorkQueueOrder = NEWEST
) {
  workQueue(
    kind: $kind, officeId: $officeId, groupId: $groupId, providerId: $providerId, first: $first, after: $after, filter: $filter
    order: $order
  ) {
    edges { cursor node { id status } }
    pageInfo { hasNextPage endCursor }
    counts { requiresReview sent received archive }
  }
}
"""
