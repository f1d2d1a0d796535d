"""What becomes of the rows of an import."""

from dataclasses import dataclass
from enum import StrEnum


class ImportStatus(StrEnum):
    """KNOWN: the organization has a provider with this NPI already."""

    ADDED = "ADDED"
    KNOWN = "KNOWN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one row. A refused one says why; an added one which of its specialty codes nobody knows here."""

    status: ImportStatus
    provider_id: str | None = None
    code: str | None = None
    field: str | None = None
    message: str | None = None
    ignored_specialty_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """What an import call answered."""

    results: tuple[ImportResult, ...]
