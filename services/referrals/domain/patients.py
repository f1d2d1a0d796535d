"""The nouns that hold patients' data: their repr shows nothing, and no fact carries them."""

from dataclasses import dataclass
from datetime import date, datetime

from kit.errors import Invalid
from services.referrals.domain.nouns import UserId

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


@dataclass(frozen=True, slots=True)
class Report:
    """What a receiver reports back of the visit. The text is PHI."""

    text: str
    attached_at: datetime
    attached_by: UserId

    def __repr__(self) -> str:
        """Show nothing: a repr ends up in logs and tracebacks."""
        return "Report(…)"
