"""Small cells: what must not be told to who may not know the patients behind it, and cannot be computed from the rest."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.reporting.domain.explaining import SMALL_CELL

K = TypeVar("K", bound=Hashable)


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
    total = sum(counts.values())
    if all_told:
        return Column(dict(counts), total)
    hidden = _hidden(counts)
    cells = {key: None if key in hidden else count for key, count in counts.items()}
    return Column(cells, None if _small(total) else total)


def _small(count: int) -> bool:
    return 0 < count < SMALL_CELL


def _hidden(counts: Mapping[K, int]) -> set[K]:
    hidden = {key for key, count in counts.items() if _small(count)}
    others = [key for key, count in counts.items() if count >= SMALL_CELL]
    others.sort(key=lambda key: (counts[key], str(key)))
    while hidden and others and not _safe(hidden, counts):
        hidden.add(others.pop(0))
    return hidden


def _safe(hidden: set[K], counts: Mapping[K, int]) -> bool:
    return len(hidden) > 1 and sum(counts[key] for key in hidden) >= SMALL_CELL
