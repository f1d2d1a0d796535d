"""Reads the national register's dissemination file (NPPES npidata) row by row: columns by name, nothing kept in memory.

What is asked for is the individuals who are active, and which NPIs are not any more. A row is a profile to import, an NPI that
was deactivated, a row with something wrong, or one to pass over; the file's other 300 columns do not matter.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import BinaryIO

from cli.imports.files import lines
from cli.imports.names import person_name
from cli.trouble import Trouble
from services.directory.domain.profiles import MAX_PERSON_NAME, MAX_SPECIALTIES, npi_is_valid

NPI, ENTITY = "NPI", "Entity Type Code"
LAST_NAME, FIRST_NAME = "Provider Last Name (Legal Name)", "Provider First Name"
SUFFIX, CREDENTIAL = "Provider Name Suffix Text", "Provider Credential Text"
PHONE = "Provider Business Practice Location Address Telephone Number"
DEACTIVATED, REACTIVATED = "NPI Deactivation Date", "NPI Reactivation Date"
REPLACEMENT = "Replacement NPI"
TAXONOMY = "Healthcare Provider Taxonomy Code_{}"
PRIMARY = "Healthcare Provider Primary Taxonomy Switch_{}"
SLOTS = range(1, 16)
NEEDED = (NPI, ENTITY, LAST_NAME, FIRST_NAME)

_INDIVIDUAL, _ORGANIZATION = "1", "2"
_FLOAT = re.compile(r"(\d+)\.0")
_CODE = re.compile(r"[0-9A-Z]{9}X")
FILES = re.compile(r"npidata_pfile_[0-9-]+\.csv$", re.IGNORECASE)
"""The one of the bundle's files that is read; the others hold more places, names and endpoints."""

_LOST = "\N{REPLACEMENT CHARACTER}"
_LONGEST_PHONE, _LONGEST_CREDENTIAL = 40, 100
_PHONE_DIGITS = _NPI_DIGITS = 10


class Passed(StrEnum):
    """Why a row is passed over."""

    ORGANIZATION = "ORGANIZATION"


@dataclass(frozen=True, slots=True)
class Deactivated:
    """The NPI is not active any more: since when, and the one that took its place, as far as the register says."""

    on: date | None
    replaced_by: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What the directory is told of a provider. `specialty_codes` has the primary one first."""

    npi: str
    first_name: str
    last_name: str
    credential: str
    phone: str
    specialty_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row cannot be imported, and the column that is to blame."""

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file. `number` counts as spreadsheets do: the header is row 1."""

    number: int
    npi: str
    found: Profile | RowError | Passed | Deactivated


def read(source: BinaryIO) -> Iterator[Row]:
    """The rows of a file. Trouble, with the way out, when it cannot be used: it is no CSV, or another file."""
    reader = csv.reader(lines(source))
    try:
        header = next(reader, [])
        columns = _columns(header)
        for number, cells in enumerate(reader, start=2):
            if not cells:
                continue
            if len(cells) < len(header) or any(cells[len(header) :]):
                message = f"The row has {len(cells)} cells, the header {len(header)}."
                yield Row(
                    number,
                    "".join(cells[columns[NPI] :][:1])[:_NPI_DIGITS],
                    RowError("CELLS", message),
                )
                continue
            yield _row(number, {name: cells[at].strip() for name, at in columns.items()})
    except csv.Error as error:
        raise Trouble(
            f"The file is no CSV from line {reader.line_num} on: {error}.",
            "Use the npidata file as it was downloaded and unpacked.",
        ) from None


def _columns(header: list[str]) -> dict[str, int]:
    """Where each column is that is read, of those there are."""
    places: dict[str, int] = {}
    for at, title in enumerate(header):
        places.setdefault(_plain(title), at)
    known = [
        NPI,
        ENTITY,
        LAST_NAME,
        FIRST_NAME,
        SUFFIX,
        CREDENTIAL,
        PHONE,
        DEACTIVATED,
        REACTIVATED,
        REPLACEMENT,
    ]
    known += [pattern.format(slot) for slot in SLOTS for pattern in (TAXONOMY, PRIMARY)]
    missing = [name for name in NEEDED if _plain(name) not in places]
    if missing:
        raise Trouble(
            f"The file has no column {missing[0]!r} in its first line.",
            "Give the npidata file of the national register, with its header.",
        )
    return {name: places[_plain(name)] for name in known if _plain(name) in places}


def _plain(title: str) -> str:
    return " ".join(title.split()).casefold()


def _row(number: int, cells: dict[str, str]) -> Row:
    npi = _digits(cells[NPI])
    if not npi_is_valid(npi):
        message = "The NPI is not ten digits with a right check digit."
        return Row(number, npi, RowError("NPI_INVALID", message, NPI))
    return Row(number, npi, _deactivated(cells) or _judged(npi, cells))


def _deactivated(cells: dict[str, str]) -> Deactivated | None:
    """A reactivated NPI has both dates and is an active one."""
    ended, again = cells.get(DEACTIVATED, ""), cells.get(REACTIVATED, "")
    if not ended or (again and _day(again) >= _day(ended)):
        return None
    on, follower = _day(ended), _digits(cells.get(REPLACEMENT, ""))
    return Deactivated(None if on == date.min else on, follower if npi_is_valid(follower) else None)


def _day(text: str) -> date:
    """MM/DD/YYYY; what cannot be read is as early as can be."""
    try:
        return datetime.strptime(text, "%m/%d/%Y").date()
    except ValueError:
        return date.min


def _judged(npi: str, cells: dict[str, str]) -> Profile | RowError | Passed:
    entity = _digits(cells[ENTITY])
    if entity == _ORGANIZATION:
        return Passed.ORGANIZATION
    if entity != _INDIVIDUAL:
        return RowError("ENTITY_TYPE", "The entity type is neither 1 nor 2.", ENTITY)
    return _named(npi, cells)


def _named(npi: str, cells: dict[str, str]) -> Profile | RowError:
    first = person_name(cells[FIRST_NAME])
    last = person_name(f"{cells[LAST_NAME]} {cells.get(SUFFIX, '')}") if cells[LAST_NAME] else ""
    if not (first and last):
        missing = LAST_NAME if first else FIRST_NAME
        return RowError("NAME_MISSING", "The first or the last name is missing.", missing)
    if _LOST in first + last:
        message = "A letter of the name was lost before: it is not UTF-8."
        return RowError("NAME_DAMAGED", message, FIRST_NAME if _LOST in first else LAST_NAME)
    if max(len(first), len(last)) > MAX_PERSON_NAME:
        longer = FIRST_NAME if len(first) > len(last) else LAST_NAME
        return RowError("NAME_TOO_LONG", f"A name has more than {MAX_PERSON_NAME} letters.", longer)
    return Profile(
        npi=npi,
        first_name=first,
        last_name=last,
        credential=" ".join(cells.get(CREDENTIAL, "").split())[:_LONGEST_CREDENTIAL],
        phone=_phone(_digits(cells.get(PHONE, ""))),
        specialty_codes=_specialties(cells),
    )


def _specialties(cells: dict[str, str]) -> tuple[str, ...]:
    """The well-formed codes, each once, the primary one first."""
    found = [
        (cells.get(PRIMARY.format(slot), "").upper() != "Y", slot, code.upper())
        for slot in SLOTS
        if _CODE.fullmatch((code := cells.get(TAXONOMY.format(slot), "")).upper())
    ]
    return tuple(dict.fromkeys(code for _, _, code in sorted(found)))[:MAX_SPECIALTIES]


def _digits(text: str) -> str:
    """A number as a spreadsheet may have left it: 1234567893.0."""
    found = _FLOAT.fullmatch(text)
    return found[1] if found else text


def _phone(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    if len(digits) == _PHONE_DIGITS:
        return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    return text[:_LONGEST_PHONE]
