"""Suggestions: of groups (R20), and of receivers (R28)."""

from datetime import date, datetime

import strawberry

from kit.graphql import described
from services.directory import policy
from services.directory.actions.searching import Found
from services.directory.domain import nouns, ranking
from services.directory.schema import loading
from services.directory.schema.things import Group, Office, Provider
from services.directory.schema.words import (
    FactorName,
    Info,
    PlanCertainty,
    Specialty,
    SuggestionAction,
    SuggestionEnd,
    Widening,
    id_of,
)


@strawberry.type(
    description="Providers of one classification at one office whom no group covers (R20)."
)
class GroupSuggestion:
    """GroupSuggestion."""

    id: strawberry.ID
    classification: str
    raised_at: datetime
    closed_at: datetime | None
    closed_because: SuggestionEnd | None  # type: ignore[valid-type]
    snoozed_until: date | None = strawberry.field(
        description="It was put off until this day, on its office's calendar."
    )
    version: int
    row: strawberry.Private[nouns.Suggestion]

    @strawberry.field
    async def office(self, info: Info) -> Office | None:
        """Where they work."""
        row = await loading.office(info, self.row.office_id)
        return Office.of(row) if row else None

    @described("The specialty most of them have.")
    async def specialty(self, info: Info) -> Specialty | None:
        """What they do."""
        rows = await loading.specialties(info, [self.row.specialty_code])
        return Specialty.of(rows[0]) if rows else None

    @described("The evidence: who would be its members.")
    async def providers(self, info: Info) -> list[Provider]:
        """Who they are."""
        return [Provider.of(row) for row in await loading.providers(info, self.row.provider_ids)]

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[SuggestionAction]:  # type: ignore[valid-type]
        """What the viewer may do with the suggestion now."""
        return list(policy.suggestion_actions(info.context.call.viewer, self.row))

    @classmethod
    def of(cls, row: nouns.Suggestion) -> "GroupSuggestion":
        """As GraphQL tells it."""
        return cls(
            id=id_of(row.id),
            classification=row.classification,
            raised_at=row.raised_at,
            closed_at=row.closed_at,
            closed_because=row.closed_because,
            snoozed_until=row.snoozed_until,
            version=row.version,
            row=row,
        )


@strawberry.type(description="One reason for a receiver's place in the order.")
class Factor:
    """Factor."""

    name: FactorName  # type: ignore[valid-type]
    score: float = strawberry.field(description="0 to 1.")
    weight: float = strawberry.field(description="How much it counts beside the others.")
    reason: str = strawberry.field(description="A sentence for a person.")


@strawberry.type(description="A provider or a group at an office who may receive the referral.")
class SuggestedReceiver:
    """SuggestedReceiver: exactly one of provider and group is there."""

    distance_km: float | None = strawberry.field(description="Null when no place was given.")
    plan_certainty: PlanCertainty | None = strawberry.field(  # type: ignore[valid-type]
        description="Null when no plan was given. NOT_LISTED: other plans are listed there, this is not."
    )
    accepted_plan_ids: list[strawberry.ID] = strawberry.field(
        description="Which of the plans are listed as accepted there."
    )
    plan_verified_on: date | None
    plan_stale: bool = strawberry.field(
        description="It is listed as accepted, and nobody has verified that for 90 days: ask before sending."
    )
    accepting_new_patients: bool
    data_confirmed_on: date = strawberry.field(
        description="When what is told here was last confirmed or changed."
    )
    score: float = strawberry.field(description="0 to 1; the order follows it.")
    row: strawberry.Private[ranking.Receiver]

    @strawberry.field
    async def provider(self, info: Info) -> Provider | None:
        """The provider, unless it is a group."""
        row = await loading.provider(info, self.row.provider_id) if self.row.provider_id else None
        return Provider.of(row) if row else None

    @strawberry.field
    async def group(self, info: Info) -> Group | None:
        """The group, unless it is a provider."""
        row = await loading.group(info, self.row.group_id) if self.row.group_id else None
        return Group.of(row) if row else None

    @strawberry.field
    async def office(self, info: Info) -> Office | None:
        """Where the patient would be seen."""
        row = await loading.office(info, self.row.office_id)
        return Office.of(row) if row else None

    @strawberry.field
    def factors(self) -> list[Factor]:
        """Why it stands where it stands."""
        return [
            Factor(
                name=one.name, score=one.score, weight=ranking.WEIGHTS[one.name], reason=one.reason
            )
            for one in self.row.factors
        ]

    @classmethod
    def of(cls, row: ranking.Receiver) -> "SuggestedReceiver":
        """As GraphQL tells it."""
        return cls(
            distance_km=row.distance_km,
            plan_certainty=row.plan,
            accepted_plan_ids=[id_of(one) for one in sorted(row.accepted)],
            plan_verified_on=row.plan_verified_on,
            plan_stale=row.plan_stale,
            accepting_new_patients=row.accepting_new_patients,
            data_confirmed_on=row.known_on,
            score=row.score,
            row=row,
        )


_WIDENED = {
    Widening.FARTHER: f"Nobody within {ranking.NEARBY_KM:.0f} km: these are farther away.",
    Widening.RELATED_SPECIALTY: "Nobody with this specialty: these have one of the same classification.",
    Widening.NOTHING_FOUND: "Nobody with this specialty or a related one can receive on that day.",
}


@strawberry.type(
    description="Receivers, best first; the same question on the same data gives the same order."
)
class ReceiverSuggestions:
    """ReceiverSuggestions."""

    on: date = strawberry.field(description="The day of the visit they were judged by.")
    receivers: list[SuggestedReceiver]
    widening: Widening | None = strawberry.field(  # type: ignore[valid-type]
        description="How the search was widened because nothing matched nearby; null: it was not."
    )

    insurance_unknown: bool = strawberry.field(
        description="A plan was asked for, and insurance has told of no plan at any of these: nothing is known, not even a no."
    )
    insurance_heard_at: datetime | None = strawberry.field(
        description="When insurance last told of accepted plans; what is said of them is as old as that, or older."
    )
    place_unknown: bool = strawberry.field(
        description="Nobody knows where the postal code is, so these are ordered by city and state."
    )

    @described("Why the search was widened, for a person.")
    def widening_reason(self) -> str | None:
        """A sentence."""
        return _WIDENED[self.widening] if self.widening else None

    @classmethod
    def of(cls, found: Found) -> "ReceiverSuggestions":
        """As GraphQL tells it."""
        return cls(
            on=found.on,
            receivers=[SuggestedReceiver.of(row) for row in found.receivers],
            widening=found.widening,
            insurance_unknown=found.insurance_unknown,
            insurance_heard_at=found.insurance_heard_at,
            place_unknown=found.place_unknown,
        )
