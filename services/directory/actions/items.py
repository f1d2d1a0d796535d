"""Several things named in one call: all of them are right, or the call is refused with each that is not (R17)."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar
from uuid import UUID

from kit.errors import Invalid, NotFound, Refusal

T = TypeVar("T")

Hindrance: TypeAlias = Callable[[T], Refusal | None]
"""Why a thing cannot be used, if so."""


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """Why one of the things cannot be used."""

    id: str
    field: str
    code: str
    message: str


def check(
    ids: Sequence[UUID],
    found: Mapping[UUID, T],
    field: str,
    hindrance: Hindrance[T],
) -> list[RefusedItem]:
    """Those of `ids` that are unknown, named twice, or have a hindrance; in the order they were given."""
    refused = []
    for one, times in Counter(ids).items():
        refusal: Refusal | None
        if times > 1:
            refusal = Invalid("It is in the list twice.", code="DUPLICATE")
        elif one not in found:
            refusal = NotFound("There is no such thing in your organization.")
        else:
            refusal = hindrance(found[one])
        if refusal is not None:
            refused.append(RefusedItem(str(one), field, refusal.code, refusal.message))
    return refused


def require_none(refused: Iterable[RefusedItem]) -> None:
    """Invalid ITEMS_REFUSED, with each thing and why, unless there is none: nothing at all is done then."""
    if items := list(refused):
        raise Invalid(
            f"{len(items)} of the things named cannot be used, so nothing was done.",
            code="ITEMS_REFUSED",
            field=items[0].field,
            remedy="Mend or leave out each of the items, and send the whole call again.",
            refused=items,
        )
