"""What mutations are given."""

from datetime import date
from typing import Any

import strawberry

from kit.ids import parse_id
from services.directory.actions.offices import NewOffice, OfficeChange
from services.directory.actions.placements import NewPlacement
from services.directory.actions.provider_imports import HowImported
from services.directory.actions.providers import ProfileChange
from services.directory.domain import nouns
from services.directory.domain.hours import OpeningHours
from services.directory.domain.merging import RightNpi
from services.directory.schema.searching import CoordinatesInput
from services.directory.schema.words import Gender, Weekday, ids

_KEY = "Yours, new for each new request: a retry with the same key does nothing again."
_SEEN = "The version you have seen; another one is refused with STALE_VERSION."


def key() -> Any:  # noqa: ANN401 - strawberry's field descriptor
    """A key that makes a retry harmless."""
    return strawberry.field(description=_KEY)


def seen() -> Any:  # noqa: ANN401 - strawberry's field descriptor
    """The version somebody has seen."""
    return strawberry.field(description=_SEEN)


# Providers ------------------------------------------------------------------------------------------------------------


@strawberry.input(description="What a provider's profile says.")
class ProfileInput:
    """ProfileInput."""

    first_name: str
    last_name: str
    npi: str | None = strawberry.field(
        default=None, description="Ten digits with a check digit; needed for approval."
    )
    credential: str = ""
    phone: str = ""
    specialty_codes: list[str] = strawberry.field(
        default_factory=list, description="The primary one first; at least one for approval."
    )
    languages: list[str] = strawberry.field(
        default_factory=list, description="ISO 639 codes, the best one first."
    )
    gender: Gender | None = None  # type: ignore[valid-type]
    email: str = strawberry.field(default="", description="For your organization only.")

    def profile(self) -> nouns.Profile:
        """As the domain has it."""
        return nouns.Profile(
            self.first_name,
            self.last_name,
            self.npi,
            self.credential,
            self.phone,
            tuple(self.specialty_codes),
            tuple(self.languages),
            self.gender,
            self.email,
        )


@strawberry.input
class AddProviderInput(ProfileInput):
    """AddProviderInput."""

    idempotency_key: str = key()
    submit: bool = strawberry.field(
        default=False, description="Ask for approval at once; otherwise it is a draft."
    )


@strawberry.input(description="What is to change; what is left out stays as it is.")
class ChangeProviderInput:
    """ChangeProviderInput."""

    provider_id: strawberry.ID
    expected_version: int = seen()
    first_name: str | None = None
    last_name: str | None = None
    npi: str | None = None
    credential: str | None = None
    phone: str | None = None
    specialty_codes: list[str] | None = None
    languages: list[str] | None = None
    gender: Gender | None = None  # type: ignore[valid-type]
    email: str | None = None

    def change(self) -> ProfileChange:
        """As the verb takes it."""
        return ProfileChange(
            self.first_name,
            self.last_name,
            self.npi,
            self.credential,
            self.phone,
            None if self.specialty_codes is None else tuple(self.specialty_codes),
            None if self.languages is None else tuple(self.languages),
            self.gender,
            self.email,
        )


@strawberry.input
class ProviderVersionInput:
    """Which provider, as it was seen."""

    provider_id: strawberry.ID
    expected_version: int = seen()


@strawberry.input
class ApproveProvidersInput:
    """ApproveProvidersInput."""

    providers: list[ProviderVersionInput] = strawberry.field(description="1 to 100.")


@strawberry.input
class MergeProvidersInput:
    """Which record goes, and which one stays."""

    duplicate_id: strawberry.ID
    expected_version: int = strawberry.field(
        description="The version of the duplicate you have seen."
    )
    survivor_id: strawberry.ID
    survivor_version: int = strawberry.field(
        description="The version of the survivor you have seen."
    )
    npi: str | None = strawberry.field(
        default=None,
        description="Where their NPIs differ: the one of the two that is right. The other one is given up.",
    )
    reason: str | None = strawberry.field(
        default=None, description="How you know which NPI is right; kept in the audit trail."
    )

    def right(self) -> RightNpi | None:
        """What somebody says of their NPIs."""
        return RightNpi(self.npi.strip(), self.reason or "") if self.npi else None


@strawberry.input
class RejectProviderInput:
    """RejectProviderInput."""

    provider_id: strawberry.ID
    expected_version: int = seen()
    reason: str = strawberry.field(description="For whoever submitted it.")


@strawberry.input
class ImportProvidersInput:
    """ImportProvidersInput."""

    idempotency_key: str = key()
    rows: list[ProfileInput] = strawberry.field(description="1 to 200.")
    submit: bool = strawberry.field(default=False, description="Ask for approval at once.")
    from_register: bool = strawberry.field(
        default=False, description="They stand in the national register now: their NPIs are active."
    )
    dry_run: bool = strawberry.field(
        default=False,
        description="Only say what would become of the rows; the key counts for nothing.",
    )

    def how(self) -> HowImported:
        """As the verb takes it."""
        return HowImported(self.submit, self.from_register, self.dry_run)


# Offices and placements -----------------------------------------------------------------------------------------------


@strawberry.input
class AddressInput:
    """AddressInput."""

    line1: str
    line2: str = ""
    city: str
    region: str = strawberry.field(description="Two-letter state code.")
    postal_code: str

    def address(self) -> nouns.Address:
        """As the domain has it."""
        return nouns.Address(self.line1, self.line2, self.city, self.region, self.postal_code)


@strawberry.input(description="A span of a weekday, by the clock on the office's wall.")
class OpeningHoursInput:
    """OpeningHoursInput."""

    weekday: Weekday  # type: ignore[valid-type]
    opens: str = strawberry.field(description="HH:MM")
    closes: str = strawberry.field(description="HH:MM, or 24:00 for the end of the day.")


def _spans(given: list[OpeningHoursInput]) -> tuple[OpeningHours, ...]:
    return tuple(OpeningHours(one.weekday, one.opens, one.closes) for one in given)


@strawberry.input
class AddOfficeInput:
    """AddOfficeInput."""

    idempotency_key: str = key()
    name: str
    address: AddressInput
    coordinates: CoordinatesInput | None = strawberry.field(
        default=None, description="Without them, the middle of the postal code, if it is known."
    )
    phone: str
    time_zone: str = strawberry.field(description="IANA name, such as America/New_York.")
    go_live_on: date = strawberry.field(
        description="Its first day; at least seven days from today, on its own calendar (R16)."
    )
    provider_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Who works there from its first day (R17)."
    )
    group_only: bool = strawberry.field(
        default=False, description="It may go live without a provider of its own."
    )
    acknowledge_short_lead_time: bool = strawberry.field(
        default=False, description="Together with reason: less than seven days are meant."
    )
    reason: str | None = None
    hours: list[OpeningHoursInput] = strawberry.field(default_factory=list)
    acknowledge_duplicate: bool = strawberry.field(
        default=False, description="It is another office though one has this address or phone."
    )

    def office(self) -> NewOffice:
        """As the verb takes it."""
        return NewOffice(
            name=self.name,
            address=self.address.address(),
            point=self.coordinates.point() if self.coordinates else None,
            phone=self.phone,
            time_zone=self.time_zone,
            go_live_on=self.go_live_on,
            provider_ids=ids(self.provider_ids, "providerIds"),
            group_only=self.group_only,
            acknowledge_short_lead_time=self.acknowledge_short_lead_time,
            reason=self.reason,
            hours=_spans(self.hours),
            acknowledge_duplicate=self.acknowledge_duplicate,
        )


@strawberry.input(description="What is to change; what is left out stays as it is.")
class ChangeOfficeInput:
    """ChangeOfficeInput."""

    office_id: strawberry.ID
    expected_version: int = seen()
    name: str | None = None
    address: AddressInput | None = None
    coordinates: CoordinatesInput | None = strawberry.field(
        default=None,
        description="Without them, an office whose postal code changes stands in the middle of the new one.",
    )
    phone: str | None = None
    time_zone: str | None = None
    group_only: bool | None = None
    hours: list[OpeningHoursInput] | None = strawberry.field(
        default=None, description="All of them; an empty list says that they are not known."
    )
    go_live_on: date | None = strawberry.field(
        default=None, description="Until it is live; sooner than it was by the rule of addOffice."
    )
    acknowledge_short_lead_time: bool = False
    reason: str | None = None
    acknowledge_duplicate: bool = False

    def change(self) -> OfficeChange:
        """As the verb takes it."""
        at = self.coordinates
        return OfficeChange(
            name=self.name,
            address=self.address.address() if self.address else None,
            point=nouns.Point(at.latitude, at.longitude) if at else None,
            phone=self.phone,
            time_zone=self.time_zone,
            group_only=self.group_only,
            hours=None if self.hours is None else _spans(self.hours),
            go_live_on=self.go_live_on,
            acknowledge_short_lead_time=self.acknowledge_short_lead_time,
            reason=self.reason,
            acknowledge_duplicate=self.acknowledge_duplicate,
        )


@strawberry.input
class AttestRosterInput:
    """AttestRosterInput."""

    office_id: strawberry.ID
    expected_version: int = seen()
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Everybody who works for the office, as its roster has it."
    )
    referral_owner_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Which of them answers for its referrals; null: who did, else the first of them who has confirmed (R18).",
    )


@strawberry.input
class OfficeVersionInput:
    """Which office, as it was seen."""

    office_id: strawberry.ID
    expected_version: int = seen()


@strawberry.input
class AddPlacementInput:
    """AddPlacementInput."""

    idempotency_key: str = key()
    provider_id: strawberry.ID
    office_id: strawberry.ID
    effective_from: date | None = strawberry.field(
        default=None, description="Today, or the office's first day when that is later."
    )
    effective_until: date | None = strawberry.field(
        default=None, description="The day after the last; null: no end."
    )
    accepting_new_patients: bool = True

    def placement(self) -> NewPlacement:
        """As the verb takes it."""
        return NewPlacement(
            parse_id(self.provider_id, "providerId"),
            parse_id(self.office_id, "officeId"),
            self.effective_from,
            self.effective_until,
            self.accepting_new_patients,
        )


@strawberry.input
class EndPlacementInput:
    """EndPlacementInput."""

    placement_id: strawberry.ID
    expected_version: int = seen()
    effective_until: date | None = strawberry.field(
        default=None, description="The day after the last; null: today, so it is over now."
    )


@strawberry.input
class SetAcceptingNewPatientsInput:
    """SetAcceptingNewPatientsInput."""

    placement_id: strawberry.ID
    expected_version: int = seen()
    accepting: bool
