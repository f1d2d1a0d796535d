"""Small cells: what must not be told to who may not know the patients behind it, and cannot be computed from the rest."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.reporting.domain.explaining import SMALL_CELL

K = TypeVar("K", bound=Hashable)
R = TypeVar("R", bound=Hashable)
C = TypeVar("C", bound=Hashable)

Parts = tuple[int, ...]
"""A number, and parts of it that are no smaller a secret: one of them alone would be told by the number and what else is known."""


@dataclass(frozen=True, slots=True)
class Column(Generic[K]):
    """A number for each of several rows, and their sum. None is not told; nothing, 0, always is."""

    cells: Mapping[K, int | None]
    total: int | None


def column(counts: Mapping[K, int], *, all_told: bool) -> Column[K]:
    """The column as it may be told. Unless `all_told`, no cell of 1 to 4 is told, and no other cell or sum that would tell it.

    What is not told is two cells at least, of five referrals or more together: a lone one would be the sum less the rest. Where
    there are none to hide it among, the sum is not told either.
    """
    return _column({key: (count,) for key, count in counts.items()}, all_told=all_told)


def crossed(
    cells: Mapping[tuple[R, C], Parts], rows: Iterable[R], columns: Iterable[C], *, all_told: bool
) -> tuple[Column[R], Column[C]]:
    """The sums of a table's rows and those of its columns, both as they may be told beside each other; the cells themselves are not.

    Rows and columns that share no cell with the others (the providers who work at two offices and nowhere else) have the same sum,
    and who knows who works where would compute the one from the other: each such part is a column of its own.
    """
    by_row = dict.fromkeys(rows, _NOTHING) | _summed((row, one) for (row, _), one in cells.items())
    by_column = dict.fromkeys(columns, _NOTHING)
    by_column |= _summed((key, one) for (_, key), one in cells.items())
    part_of = _parts_of(cells)
    parts = _column(
        _summed((part_of[row], one) for (row, _), one in cells.items()), all_told=all_told
    )
    withheld = {part for part, told in parts.cells.items() if told is None}
    part_of_column = {key: part_of[row] for row, key in cells}

    def side(sums: Mapping[K, Parts], place: Mapping[K, R]) -> Column[K]:
        found: dict[K, int | None] = {key: 0 for key in sums if key not in place}
        for part in set(place.values()):
            own = {key: sums[key] for key in sums if place.get(key) == part}
            hidden = part in withheld
            found |= dict.fromkeys(own) if hidden else _column(own, all_told=all_told).cells
        return Column(found, parts.total)

    return side(by_row, part_of), side(by_column, part_of_column)


_NOTHING: Parts = (0,)


def _summed(found: Iterable[tuple[K, Parts]]) -> dict[K, Parts]:
    sums: dict[K, Parts] = {}
    for key, one in found:
        sums[key] = tuple(map(sum, zip(sums[key], one, strict=True))) if key in sums else one
    return sums


def _parts_of(cells: Iterable[tuple[R, C]]) -> dict[R, R]:
    """For each row one of those that it is connected with through columns: the same for all of them."""
    found: dict[R, R] = {}
    first: dict[C, R] = {}
    for row, key in cells:
        one, other = _root(found, row), _root(found, first.setdefault(key, row))
        found[one] = other
    return {row: _root(found, row) for row in found}


def _root(found: dict[R, R], row: R) -> R:
    while found.setdefault(row, row) != row:
        row = found[row]
    return row


def _column(counts: Mapping[K, Parts], *, all_told: bool) -> Column[K]:
    total = tuple(map(sum, zip(*counts.values(), strict=True))) or _NOTHING
    if all_told:
        return Column({key: parts[0] for key, parts in counts.items()}, total[0])
    hidden = _hidden(counts)
    cells = {key: None if key in hidden else parts[0] for key, parts in counts.items()}
    return Column(cells, None if _small(total) else total[0])


def _small(parts: Parts) -> bool:
    return any(0 < one < SMALL_CELL for one in parts)


def _hidden(counts: Mapping[K, Parts]) -> set[K]:
    hidden = {key for key, parts in counts.items() if _small(parts)}
    others = [key for key, parts in counts.items() if parts[0] and key not in hidden]
    others.sort(key=lambda key: (counts[key][0], str(key)))
    while hidden and others and not _safe(hidden, counts):
        hidden.add(others.pop(0))
    return hidden


def _safe(hidden: set[K], counts: Mapping[K, Parts]) -> bool:
    together = tuple(map(sum, zip(*(counts[key] for key in hidden), strict=True)))
    return len(hidden) > 1 and not _small(together)
