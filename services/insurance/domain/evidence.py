"""The evidence of a campaign as CSV: who said of which row, and when, that it is true."""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from services.insurance.domain.campaigns import ItemState
from services.insurance.domain.nouns import Source

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet compute a cell instead of showing it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row that was attested with an item; or an item alone, when it has none."""

    item_id: UUID
    provider_id: UUID
    office_id: UUID
    state: ItemState
    settled_at: datetime | None
    settled_by: UUID | None
    participation_id: UUID | None
    payer: str | None
    plan: str | None
    effective_from: date | None
    effective_until: date | None
    source: Source | None
    verified_on: date | None
    verified_by: UUID | None


def as_csv(lines: Iterable[Line], *, head: bool) -> str:
    """The lines as CSV (RFC 4180), with the names of the columns when `head`. A cell never begins a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    if head:
        writer.writerow(field.name for field in fields(Line))
    for line in lines:
        writer.writerow(_cell(value) for value in astuple(line))
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    shown = str(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
