"""The nouns that hold patients' data: their repr shows nothing, and no fact carries them."""

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from kit.errors import Invalid
from services.referrals.domain.nouns import OrganizationId, UserId

OLDEST = 130
"""Years. Nobody known has become so old."""


@dataclass(frozen=True, slots=True)
class Patient:
    """The least a receiver needs to know about the patient. All of it is PHI."""

    given_name: str
    family_name: str
    born_on: date
    phone: str | None
    postal_code: str | None
    member_number: str | None
    clinical_note: str | None

    def require_alive(self, today: date) -> None:
        """Invalid when the patient is not born yet, or would be older than people become."""
        if self.born_on > today:
            raise Invalid("The patient is not born yet.", field="patient.bornOn")
        if today.year - self.born_on.year > OLDEST:
            raise Invalid(
                f"The patient would be older than {OLDEST} years.", field="patient.bornOn"
            )

    def __repr__(self) -> str:
        """Show nothing: a repr ends up in logs and tracebacks."""
        return "Patient(…)"

    def as_data(self) -> dict[str, Any]:
        """Plain data for sealing; `from_data` reads it back."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Any) -> "Patient":  # noqa: ANN401 - what a box held
        """The patient that was sealed."""
        return cls(**data | {"born_on": date.fromisoformat(data["born_on"])})

    @property
    def found_by(self) -> frozenset[str]:
        """The words by which the patient is found again; each is looked for as a whole."""
        wanted = [
            by_name(self.family_name, self.born_on),
            by_name(self.family_name, self.born_on, self.given_name),
            by_phone(self.phone or ""),
            by_member_number(self.member_number or ""),
        ]
        return frozenset(word for word in wanted if word is not None)


def by_name(family_name: str, born_on: date, given_name: str | None = None) -> str | None:
    """The word of a name with the day of birth, whatever its case, width and spaces; None for an empty name."""
    names = [_plain(family_name), *([] if given_name is None else [_plain(given_name)])]
    return f"name {born_on} {'|'.join(names)}" if all(names) else None


def by_phone(phone: str) -> str | None:
    """The word of a phone number: its digits; None when there are none."""
    digits = re.sub(r"\D", "", phone)
    return f"phone {digits}" if digits else None


def by_member_number(number: str) -> str | None:
    """The word of a number with a plan, whatever its case and separators; None when it has neither letter nor digit."""
    plain = re.sub(r"[\W_]", "", _plain(number))
    return f"member {plain}" if plain else None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class DataKey:
    """One of the keys with which an organization seals what it sends; itself sealed."""

    organization_id: OrganizationId
    number: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A closed box, and whose key of which number opens it."""

    organization_id: OrganizationId
    key_number: int
    box: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What a receiver reports back of the visit. The text is PHI."""

    text: str
    attached_at: datetime
    attached_by: UserId

    def __repr__(self) -> str:
        """Show nothing: a repr ends up in logs and tracebacks."""
        return "Report(…)"
