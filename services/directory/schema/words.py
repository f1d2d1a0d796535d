"""Words and small types of the directory's schema."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from kit.graphql import Context
from kit.ids import parse_id
from services.directory.actions.peers import Peers
from services.directory.domain import allowed, awaited, hours, nouns, places, ranking
from services.directory.domain.days import Needed, Readiness

Info: TypeAlias = strawberry.Info[Context[Peers], None]

ProviderState = strawberry.enum(nouns.ProviderState, name="ProviderState")
OfficeState = strawberry.enum(nouns.OfficeState, name="OfficeState")
ApprovalNeed = strawberry.enum(nouns.ApprovalNeed, name="ApprovalNeed")
GroupState = strawberry.enum(nouns.GroupState, name="GroupState")
PlacementState = strawberry.enum(nouns.PlacementState, name="PlacementState")
SuggestionEnd = strawberry.enum(nouns.SuggestionEnd, name="SuggestionEnd")
LocatedBy = strawberry.enum(nouns.LocatedBy, name="LocatedBy")
Gender = strawberry.enum(nouns.Gender, name="Gender")
NpiStatus = strawberry.enum(nouns.NpiStatus, name="NpiStatus")
HeldUp = strawberry.enum(nouns.HeldUp, name="RemovalHeldUpBy")
Weekday = strawberry.enum(hours.Weekday, name="Weekday")
NeededWord = strawberry.enum(Needed, name="OfficeNeed")
PlanCertainty = strawberry.enum(ranking.PlanCertainty, name="PlanCertainty")
FactorName = strawberry.enum(ranking.FactorName, name="FactorName")
Widening = strawberry.enum(ranking.Widening, name="Widening")
ProviderAction = strawberry.enum(allowed.ProviderAction, name="ProviderAction")
OfficeAction = strawberry.enum(allowed.OfficeAction, name="OfficeAction")
PlacementAction = strawberry.enum(allowed.PlacementAction, name="PlacementAction")
GroupAction = strawberry.enum(allowed.GroupAction, name="GroupAction")
SuggestionAction = strawberry.enum(allowed.SuggestionAction, name="SuggestionAction")


def id_of(one: UUID) -> strawberry.ID:
    """An id as GraphQL tells it."""
    return strawberry.ID(str(one))


def ids(texts: list[strawberry.ID], field: str) -> tuple[UUID, ...]:
    """The ids a client sent."""
    return tuple(parse_id(one, field) for one in texts)


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class User:
    """Somebody identity knows."""

    id: strawberry.ID


@strawberry.type(description="What a provider does, by its code of the NUCC provider taxonomy.")
class Specialty:
    """Specialty."""

    code: str
    name: str
    grouping: str
    classification: str
    specialization: str | None

    @classmethod
    def of(cls, row: nouns.Specialty) -> "Specialty":
        """As GraphQL tells it."""
        return cls(
            code=row.code,
            name=row.name,
            grouping=row.grouping,
            classification=row.classification,
            specialization=row.specialization,
        )


@strawberry.type(description="Where an office is.")
class Address:
    """Address."""

    line1: str
    line2: str
    city: str
    region: str = strawberry.field(description="Two-letter state code.")
    postal_code: str


@strawberry.type(description="A point on the earth, in degrees.")
class Coordinates:
    """Coordinates."""

    latitude: float
    longitude: float


@strawberry.type(description="Something of an office that hinders nothing and should be looked at.")
class OfficeWarning:
    """OfficeWarning."""

    code: str
    message: str
    remedy: str

    @classmethod
    def of(cls, one: places.Warned) -> "OfficeWarning":
        """As GraphQL tells it."""
        return cls(code=one.code, message=one.message, remedy=one.remedy)


@strawberry.type(
    description="Support lets a group take part though nobody who has confirmed works for it (R25)."
)
class GroupOverride:
    """GroupOverride."""

    at: datetime
    by: User | None = strawberry.field(description="Somebody of support.")
    reason: str
    support_request_id: strawberry.ID | None = strawberry.field(
        description="The request to support that it answers."
    )

    @classmethod
    def of(cls, row: nouns.Group) -> "GroupOverride | None":
        """As GraphQL tells it."""
        if row.overridden_at is None or row.overridden_by is None:
            return None
        return cls(
            at=row.overridden_at,
            by=User(id=id_of(row.overridden_by)),
            reason=row.override_reason or "",
            support_request_id=id_of(row.override_request) if row.override_request else None,
        )


@strawberry.type(description="A change of an approved profile that waits for its approval.")
class PendingChange:
    """PendingChange."""

    first_name: str
    last_name: str
    npi: str | None
    credential: str
    phone: str
    specialty_codes: list[str]
    languages: list[str]
    gender: Gender | None  # type: ignore[valid-type]
    email: str

    @classmethod
    def of(cls, profile: nouns.Profile) -> "PendingChange":
        """As GraphQL tells it."""
        return cls(
            first_name=profile.first_name,
            last_name=profile.last_name,
            npi=profile.npi,
            credential=profile.credential,
            phone=profile.phone,
            specialty_codes=list(profile.specialty_codes),
            languages=list(profile.languages),
            gender=profile.gender,
            email=profile.email,
        )


@strawberry.type(
    description="A removal that comes about by itself as soon as nothing is open with the provider (R15)."
)
class AwaitedRemoval:
    """AwaitedRemoval."""

    asked_by: User | None = strawberry.field(description="In whose name the provider is removed.")
    asked_at: datetime
    leaves_office_ids: list[strawberry.ID] = strawberry.field(
        description="The offices that are left on the way."
    )
    held_up_by: HeldUp | None = strawberry.field(  # type: ignore[valid-type]
        description="Why the provider is there still: referrals are open, or offices remain that nobody has said are to be left."
        " Null: nobody has looked yet."
    )

    @classmethod
    def of(cls, asked: awaited.AwaitedRemoval) -> "AwaitedRemoval":
        """As GraphQL tells it."""
        return cls(
            asked_by=User(id=id_of(asked.asked_by)),
            asked_at=asked.asked_at,
            leaves_office_ids=[id_of(one) for one in asked.office_ids],
            held_up_by=asked.held_up_by,
        )


@strawberry.type(description="A span of a weekday, by the clock on the office's wall.")
class OpeningHours:
    """OpeningHours."""

    weekday: Weekday  # type: ignore[valid-type]
    opens: str = strawberry.field(description="HH:MM")
    closes: str = strawberry.field(description="HH:MM, or 24:00")

    @classmethod
    def of(cls, row: hours.OpeningHours) -> "OpeningHours":
        """As GraphQL tells it."""
        return cls(weekday=row.weekday, opens=row.opens, closes=row.closes)


_REASONS = {
    "NO_COVERAGE": "No confirmed staff works for the office.",
    "ROSTER_NOT_ATTESTED": "Nobody has attested who works for the office, or they are others now.",
    "NO_APPROVED_PROVIDER": "No approved provider is placed at the office, and it is not for groups only.",
}
_STEPS = {
    Needed.COVERAGE: "Invite staff for the office and have them confirm their account.",
    Needed.ROSTER_ATTESTED: "Look at its roster and attest it with attestRoster.",
    Needed.PROVIDERS: "Place an approved provider there, or say that it is for groups only.",
}


@strawberry.type(description="Something an office still needs before it can go live.")
class ReadinessReason:
    """ReadinessReason."""

    code: str
    message: str


@strawberry.type(description="One thing an office must have before it can go live (R16, R18).")
class ReadinessItem:
    """ReadinessItem."""

    code: NeededWord  # type: ignore[valid-type]
    satisfied: bool
    to_do: str | None = strawberry.field(description="What to do while it is not satisfied.")


@strawberry.type(description="What an office has of what it needs before it can go live.")
class OfficeReadiness:
    """OfficeReadiness."""

    ready: bool
    confirmed_staff: int
    approved_providers: int
    reasons: list[ReadinessReason]
    checklist: list[ReadinessItem] = strawberry.field(
        description="Each thing it needs, had or not."
    )

    @classmethod
    def of(cls, found: Readiness) -> "OfficeReadiness":
        """As GraphQL tells it."""
        return cls(
            ready=not found.reasons,
            confirmed_staff=found.confirmed_staff,
            approved_providers=found.approved_providers,
            reasons=[ReadinessReason(code=one, message=_REASONS[one]) for one in found.reasons],
            checklist=[
                ReadinessItem(code=one, satisfied=there, to_do=None if there else _STEPS[one])
                for one, there in found.checklist.items()
            ],
        )


@strawberry.type(description="Who said when that just these users work for the office (R18).")
class RosterAttestation:
    """RosterAttestation."""

    at: datetime
    by: User | None
    users: list[User | None]
    stands: bool = strawberry.field(
        description="False once somebody else works there, or one of them no longer: attest again."
    )


@strawberry.type(description="What an organization has decided for itself.")
class DirectorySettings:
    """DirectorySettings."""

    second_approver: bool = strawberry.field(
        description="Whoever submitted a provider cannot approve it."
    )
    suggest_groups_from: int = strawberry.field(
        description="So many providers of a classification at an office make a group suggestion."
    )
    approval_needs: list[ApprovalNeed] = strawberry.field(  # type: ignore[valid-type]
        description="What a profile must have before it is approved, besides an NPI and a specialty (R11)."
    )
    version: int

    @classmethod
    def of(cls, row: nouns.Settings) -> "DirectorySettings":
        """As GraphQL tells it."""
        return cls(
            second_approver=row.second_approver,
            suggest_groups_from=row.suggest_groups_from,
            approval_needs=sorted(row.approval_needs),
            version=row.version,
        )
