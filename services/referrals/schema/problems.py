"""Refusals of referrals that carry what a client needs to act."""

import strawberry
from strawberry import ID

from kit.graphql import Problem, problem_type
from services.referrals.schema.words import ReferralAction


@strawberry.type(description="Another receiver that may be asked instead.")
class AlternativeReceiver:
    """Of the same office and specialty."""

    office_id: ID
    provider_id: ID | None
    group_id: ID | None
    name: str


@problem_type("WRONG_STATUS")
@strawberry.type(description="The referral's status does not allow this.")
class WrongStatusProblem(Problem):
    """What the same side may do instead."""

    allowed_actions: list[ReferralAction] = strawberry.field(
        default_factory=list, description="What your side may do to it as it stands."
    )


@problem_type(
    "RECEIVER_LEAVING",
    "OFFICE_NOT_LIVE",
    "OFFICE_CLOSING",
    "NOT_APPROVED",
    "NOT_PLACED",
    "GROUP_NOT_STAFFED",
    "GROUP_CANNOT_RECEIVE",
)
@strawberry.type(description="That receiver takes no referrals now; others may.")
class ReceiverRefusedProblem(Problem):
    """The code says why."""

    alternatives: list[AlternativeReceiver] = strawberry.field(
        default_factory=list, description="Receivers of the same office and specialty."
    )
