"""The targets of an organization's receivers in GraphQL."""

from typing import Annotated, Union

import strawberry

from kit.graphql import CommonProblems, described, mutation
from services.referrals import domain
from services.referrals.actions import clocks
from services.referrals.schema.entities import Info
from services.referrals.schema.words import PassedAppointment


@strawberry.type(description="How long your organization's receivers may take.")
class ReferralTargets:
    """Days count from the arrival at the present receiver."""

    version: int
    acknowledge_days: int
    decide_days: int = strawberry.field(description="Until it is scheduled, declined or forwarded.")
    passed_appointment: PassedAppointment


@strawberry.input
class ChangeReferralTargetsInput:
    """changeReferralTargets. What is left out stays."""

    expected_version: int
    acknowledge_days: int | None = None
    decide_days: int | None = None
    passed_appointment: PassedAppointment | None = None


ChangeReferralTargetsResult = Annotated[
    Union[ReferralTargets, CommonProblems],  # noqa: UP007 - strawberry flattens it
    strawberry.union("ChangeReferralTargetsResult"),
]


@strawberry.type
class TargetsQuery:
    """What can be asked of targets."""

    @described("Your organization's targets for what it receives; version 0: never changed.")
    async def referral_targets(self, info: Info) -> ReferralTargets:
        """The product's own until they are changed."""
        return _shown(await clocks.targets(info.context.call))


@strawberry.type
class TargetsMutation:
    """What can be done to targets."""

    @mutation
    async def change_referral_targets(
        self, info: Info, input: ChangeReferralTargetsInput
    ) -> ChangeReferralTargetsResult:
        """Change your organization's targets; they count at once, for what is open too."""
        change = clocks.TargetsChange(
            input.acknowledge_days, input.decide_days, input.passed_appointment
        )
        return _shown(
            await clocks.change_targets(info.context.call, input.expected_version, change)
        )


def _shown(it: domain.Targets) -> ReferralTargets:
    return ReferralTargets(
        version=it.version,
        acknowledge_days=it.acknowledge_days,
        decide_days=it.decide_days,
        passed_appointment=it.passed_appointment,
    )
