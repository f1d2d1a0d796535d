"""Why a week differs from the one before, and what late facts changed, as GraphQL tells it."""

import strawberry

from services.reporting import domain
from services.reporting.schema.figures import ReportNumber, number

ReportNumberName = strawberry.enum(
    domain.Number, name="ReportNumberName", description="A number of the report, by name."
)
ReportDimension = strawberry.enum(
    domain.Dimension, name="ReportDimension", description="By what a number is taken apart."
)


@strawberry.type(
    description="One reason, sender, office or provider that moved a number. None that is behind fewer than 5 referrals is named."
)
class ReportDriver:
    """Driver."""

    dimension: ReportDimension  # type: ignore[valid-type]
    key: str = strawberry.field(description="The coded reason, or the id of who it is.")
    before: int
    now: int

    @classmethod
    def of(cls, told: domain.Driver) -> "ReportDriver":
        """As GraphQL tells it."""
        return cls(dimension=told.dimension, key=told.key, before=told.before, now=told.now)


@strawberry.type(
    description="A change of 5 referrals and a fifth or more since the week before, and what moved it most."
)
class ReportExplanation:
    """Explanation."""

    number: ReportNumberName  # type: ignore[valid-type]
    before: int
    now: int
    sentence: str = strawberry.field(description="In words, without names.")
    drivers: list[ReportDriver]

    @classmethod
    def of(cls, told: domain.Explanation) -> "ReportExplanation":
        """As GraphQL tells it."""
        return cls(
            number=told.number,
            before=told.before,
            now=told.now,
            sentence=told.sentence,
            drivers=[ReportDriver.of(driver) for driver in told.drivers],
        )


@strawberry.type(description="What late facts changed in a number of a published report.")
class ReportDifference:
    """Difference."""

    number: ReportNumberName  # type: ignore[valid-type]
    before: int
    now: int
    added: ReportNumber
    removed: ReportNumber

    @classmethod
    def of(cls, told: domain.Difference) -> "ReportDifference":
        """As GraphQL tells it."""
        return cls(
            number=told.number,
            before=told.before,
            now=told.now,
            added=number(told.added),
            removed=number(told.removed),
        )
