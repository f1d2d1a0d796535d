"""What becomes of the rows of an import."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from kit.errors import Invalid
from services.directory.domain.nouns import NpiStatus, Specialty
from services.directory.domain.profiles import clean_npi, clean_text

_CODE = re.compile(r"[0-9A-Z]{9}X")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[A-Z]{1,20}")
LONGEST_NAME = 200
LONGEST_STATE = 4000
MOST_SPECIALTIES = 500
"""Rows of one call."""


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


# What the national register says of NPIs ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NpiNote:
    """What the national register says of an NPI. The day and the NPI that took its place belong to a deactivated one."""

    npi: str
    status: NpiStatus
    deactivated_on: date | None = None
    replaced_by: str | None = None


class NoteStatus(StrEnum):
    """NOT_HELD: no provider of the organization has this NPI."""

    CHANGED = "CHANGED"
    SAME = "SAME"
    NOT_HELD = "NOT_HELD"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class NoteResult:
    """What became of one note. `replaced_by_provider_id`: who of the organization has the NPI that took its place."""

    status: NoteStatus
    provider_id: str | None = None
    replaced_by_provider_id: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class NoteBatch:
    """What a call that noted NPIs answered."""

    results: tuple[NoteResult, ...]


def clean_note(note: NpiNote) -> NpiNote:
    """The note, cleaned; Invalid for an NPI that is none, and for a status the register does not have."""
    npi = clean_npi(note.npi)
    if npi is None:
        raise Invalid("The NPI is missing.", field="npi")
    if note.status is NpiStatus.UNKNOWN:
        raise Invalid("The register says ACTIVE or DEACTIVATED.", field="status")
    if note.status is NpiStatus.ACTIVE:
        return NpiNote(npi, note.status)
    return NpiNote(npi, note.status, note.deactivated_on, clean_npi(note.replaced_by))


# Specialties ----------------------------------------------------------------------------------------------------------


def clean_specialties(rows: Iterable[Specialty]) -> list[Specialty]:
    """The rows, cleaned, each code once; a name that several have gets the code behind it. Invalid names the first bad row."""
    found = {one.code: one for one in (_specialty(place, row) for place, row in enumerate(rows))}
    names = Counter(one.name.casefold() for one in found.values())
    return [_told_apart(one, names) for one in found.values()]


def _specialty(place: int, row: Specialty) -> Specialty:
    code = row.code.strip().upper()
    if _CODE.fullmatch(code) is None:
        raise Invalid(
            f"Row {place}: a code has nine digits or letters, and ends in X.",
            code="BAD_CODE",
            field=f"rows.{place}.code",
            remedy="Take the codes as the code set has them.",
        )
    classification = clean_text(row.classification, f"rows.{place}.classification", LONGEST_NAME)
    special = clean_text(
        row.specialization or "", f"rows.{place}.specialization", LONGEST_NAME, least=0
    )
    name = clean_text(row.name, f"rows.{place}.name", LONGEST_NAME, least=0)
    return Specialty(
        code=code,
        grouping=clean_text(row.grouping, f"rows.{place}.grouping", LONGEST_NAME),
        classification=classification,
        specialization=special or None,
        name=name or special or classification,
    )


def _told_apart(one: Specialty, names: Counter[str]) -> Specialty:
    if names[one.name.casefold()] == 1:
        return one
    return Specialty(
        one.code, one.grouping, one.classification, one.specialization, f"{one.name} ({one.code})"
    )


# Going on after an interruption ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import of a file has come. `state` means something to whoever imports, and to nobody else."""

    digest: str
    kind: str
    state: str
    kept_at: datetime
    finished_at: datetime | None


def clean_progress(digest: str, kind: str, state: str) -> None:
    """Invalid unless the digest is a SHA-256 in small hexadecimal digits, the kind a word in capitals, and the state short."""
    if _DIGEST.fullmatch(digest) is None:
        raise Invalid(
            "digest is the SHA-256 of the file, in 64 hexadecimal digits.", field="digest"
        )
    if _KIND.fullmatch(kind) is None:
        raise Invalid("kind is a word of at most 20 capital letters.", field="kind")
    if len(state.encode()) > LONGEST_STATE or "\0" in state:
        raise Invalid(f"state has at most {LONGEST_STATE} bytes, and no U+0000.", field="state")
