"""What mutations are given."""

from datetime import date
from typing import Any

import strawberry

from kit.ids import parse_id
from services.directory.actions.groups import NewGroup
from services.directory.actions.offices import NewOffice, OfficeChange
from services.directory.actions.placements import NewPlacement
from services.directory.actions.providers import ProfileChange
from services.directory.domain import nouns
from services.directory.domain.hours import OpeningHours
from services.directory.schema.queries import CoordinatesInput
from services.directory.schema.words import Weekday, ids

_KEY = "Yours, new for each new request: a retry with the same key does nothing again."
_SEEN = "The version you have seen; another one is refused with STALE_VERSION."


def _key() -> Any:  # noqa: ANN401 - strawberry's field descriptor
    return strawberry.field(description=_KEY)


def _seen() -> Any:  # noqa: ANN401 - strawberry's field descriptor
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

    def profile(self) -> nouns.Profile:
        """As the domain has it."""
        return nouns.Profile(
            self.first_name,
            self.last_name,
            self.npi,
            self.credential,
            self.phone,
            tuple(self.specialty_codes),
        )


@strawberry.input
class AddProviderInput(ProfileInput):
    """AddProviderInput."""

    idempotency_key: str = _key()
    submit: bool = strawberry.field(
        default=False, description="Ask for approval at once; otherwise it is a draft."
    )


@strawberry.input(description="What is to change; what is left out stays as it is.")
class ChangeProviderInput:
    """ChangeProviderInput."""

    provider_id: strawberry.ID
    expected_version: int = _seen()
    first_name: str | None = None
    last_name: str | None = None
    npi: str | None = None
    credential: str | None = None
    phone: str | None = None
    specialty_codes: list[str] | None = None

    def change(self) -> ProfileChange:
        """As the verb takes it."""
        codes = None if self.specialty_codes is None else tuple(self.specialty_codes)
        return ProfileChange(
            self.first_name, self.last_name, self.npi, self.credential, self.phone, codes
        )


@strawberry.input
class ProviderVersionInput:
    """Which provider, as it was seen."""

    provider_id: strawberry.ID
    expected_version: int = _seen()


@strawberry.input
class RejectProviderInput:
    """RejectProviderInput."""

    provider_id: strawberry.ID
    expected_version: int = _seen()
    reason: str = strawberry.field(description="For whoever submitted it.")


@strawberry.input
class ImportProvidersInput:
    """ImportProvidersInput."""

    idempotency_key: str = _key()
    rows: list[ProfileInput] = strawberry.field(description="1 to 200.")
    submit: bool = strawberry.field(default=False, description="Ask for approval at once.")


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

    idempotency_key: str = _key()
    name: str
    address: AddressInput
    coordinates: CoordinatesInput
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
            point=nouns.Point(self.coordinates.latitude, self.coordinates.longitude),
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
    expected_version: int = _seen()
    name: str | None = None
    address: AddressInput | None = None
    coordinates: CoordinatesInput | None = strawberry.field(
        default=None, description="Needed with an address of another postal code."
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
    expected_version: int = _seen()
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Everybody who works for the office, as its roster has it."
    )


@strawberry.input
class OfficeVersionInput:
    """Which office, as it was seen."""

    office_id: strawberry.ID
    expected_version: int = _seen()


@strawberry.input
class CloseOfficeInput:
    """CloseOfficeInput."""

    office_id: strawberry.ID
    expected_version: int = _seen()
    confirm_orphans: bool = strawberry.field(
        default=False, description="Close it though providers would then work nowhere (R19)."
    )


@strawberry.input
class AddPlacementInput:
    """AddPlacementInput."""

    idempotency_key: str = _key()
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
    expected_version: int = _seen()
    effective_until: date | None = strawberry.field(
        default=None, description="The day after the last; null: today, so it is over now."
    )


@strawberry.input
class SetAcceptingNewPatientsInput:
    """SetAcceptingNewPatientsInput."""

    placement_id: strawberry.ID
    expected_version: int = _seen()
    accepting: bool


# Groups and settings --------------------------------------------------------------------------------------------------


@strawberry.input
class AddGroupInput:
    """AddGroupInput."""

    idempotency_key: str = _key()
    name: str
    office_ids: list[strawberry.ID]
    provider_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    staff_user_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Who works for it; it is ready with one who is confirmed."
    )
    may_send: bool = False
    may_receive: bool = True

    def group(self) -> NewGroup:
        """As the verb takes it."""
        return NewGroup(
            name=self.name,
            office_ids=ids(self.office_ids, "officeIds"),
            provider_ids=ids(self.provider_ids, "providerIds"),
            staff_user_ids=ids(self.staff_user_ids, "staffUserIds"),
            may_send=self.may_send,
            may_receive=self.may_receive,
        )


@strawberry.input
class GroupVersionInput:
    """Which group, as it was seen."""

    group_id: strawberry.ID
    expected_version: int = _seen()


@strawberry.input
class ChangeGroupFlagsInput:
    """ChangeGroupFlagsInput."""

    group_id: strawberry.ID
    expected_version: int = _seen()
    may_send: bool
    may_receive: bool


@strawberry.input
class ChangeGroupInput:
    """Whom to add and whom to remove: providers for members, users for staff."""

    group_id: strawberry.ID
    expected_version: int = _seen()
    add: list[strawberry.ID] = strawberry.field(default_factory=list)
    remove: list[strawberry.ID] = strawberry.field(default_factory=list)


@strawberry.input
class SuggestionVersionInput:
    """Which suggestion, as it was seen."""

    suggestion_id: strawberry.ID
    expected_version: int = _seen()


@strawberry.input
class ChangeDirectorySettingsInput:
    """What is to change; what is left out stays as it is."""

    expected_version: int = strawberry.field(description="0 before the first change.")
    second_approver: bool | None = None
    suggest_groups_from: int | None = None
