"""Why a week differs from the one before, in words and from the data; and what late facts changed in a report (R31)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from services.reporting.domain.counting import EXPLAINED, Cell, Counted, Dimension
from services.reporting.domain.figures import Figures
from services.reporting.domain.history import Change
from services.reporting.domain.nouns import ReferralId
from services.reporting.domain.tally import Number

SMALL_CELL = 5
"""Nobody is named for fewer referrals than this, and no change of fewer is explained."""

NOTABLE_PERCENT = 20
"""A change of less than this share of the week before is not explained."""

DRIVERS_TOLD = 3


@dataclass(frozen=True, slots=True)
class Driver:
    """One office, provider, sender or reason, and how much of a number is its own: `before` in the week before, `now`."""

    dimension: Dimension
    key: str
    before: int
    now: int

    @property
    def moved(self) -> int:
        """By how much it changed."""
        return self.now - self.before


@dataclass(frozen=True, slots=True)
class Explanation:
    """A notable change of a number, what moved it most, and both in a sentence."""

    number: Number
    before: int
    now: int
    drivers: tuple[Driver, ...]

    @property
    def sentence(self) -> str:
        """In words, without names: the drivers say whose id it is."""
        way = "rose" if self.now > self.before else "fell"
        told = f"{EXPLAINED[self.number]} {way} from {self.before} to {self.now}."
        if not self.drivers:
            return (
                f"{told} No reason, sender, office or provider of {SMALL_CELL} or more stands out."
            )
        parts = (
            f"{_named(one)} {_way(one)} from {one.before} to {one.now}" for one in self.drivers
        )
        return f"{told} What moved it most: {'; '.join(parts)}."


def _named(driver: Driver) -> str:
    if driver.dimension is Dimension.REASON:
        return f"the reason {driver.key}"
    return f"one {driver.dimension.value.replace('_', ' ').lower()}"


def _way(driver: Driver) -> str:
    return "rose" if driver.moved > 0 else "fell"


def explain(before: Counted, now: Counted) -> tuple[Explanation, ...]:
    """The notable changes from one week to the next, the greatest first: the same for the same facts."""
    found = []
    for number in EXPLAINED:
        had, has = before.count(number), now.count(number)
        if notable(had, has):
            drivers = _drivers(before.of(number), now.of(number), has - had)
            found.append(Explanation(number, had, has, drivers))
    order = list(Number)
    return tuple(
        sorted(found, key=lambda one: (-abs(one.now - one.before), order.index(one.number)))
    )


def notable(before: int, now: int) -> bool:
    """Whether a change is worth a word: of five referrals or more, and of a fifth or more."""
    change = abs(now - before)
    return change >= SMALL_CELL and 100 * change >= NOTABLE_PERCENT * before


def _drivers(before: Sequence[Cell], now: Sequence[Cell], change: int) -> tuple[Driver, ...]:
    found = [
        driver
        for dimension in Dimension
        for driver in _along(dimension, before, now)
        if _tells(driver, change)
    ]
    order = list(Dimension)
    found.sort(key=lambda one: (-abs(one.moved), order.index(one.dimension), one.key))
    return tuple(found[:DRIVERS_TOLD])


def _along(dimension: Dimension, before: Sequence[Cell], now: Sequence[Cell]) -> Iterator[Driver]:
    """The values of a dimension; none where there is only one, which explains nothing."""
    then, this = _by(dimension, before), _by(dimension, now)
    keys = then.keys() | this.keys()
    if len(keys) > 1:
        yield from (Driver(dimension, key, then[key], this[key]) for key in keys if key)


def _tells(driver: Driver, change: int) -> bool:
    """Whether it moved the same way, a quarter of the change or more, and is no small cell."""
    same_way = driver.moved * change > 0
    seen = max(driver.before, driver.now) >= SMALL_CELL
    return same_way and seen and 4 * abs(driver.moved) >= abs(change)


def _by(dimension: Dimension, cells: Sequence[Cell]) -> Counter[str]:
    place = list(Dimension).index(dimension)
    found: Counter[str] = Counter()
    for cell in cells:
        found[cell.keys[place]] += cell.referrals
    return found


# Restating ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """What late facts changed in a number: the referrals it counts now and did not, and the other way round."""

    number: Number
    before: int
    now: int
    added: tuple[ReferralId, ...]
    removed: tuple[ReferralId, ...]


def differences(published: dict[str, Any], now: Figures) -> tuple[Difference, ...]:
    """Of the numbers that were published, those that count other referrals now. Numbers that the report did not have then are
    no difference."""
    then = Figures.from_data(published)
    found = []
    for number in Number:
        had, has = Counter(then.numbers[number]), Counter(now.numbers[number])
        if str(number) in published["numbers"] and had != has:
            added = tuple(sorted((has - had).elements()))
            removed = tuple(sorted((had - has).elements()))
            found.append(Difference(number, had.total(), has.total(), added, removed))
    return tuple(found)


def restated(published: dict[str, Any], now: Figures) -> bool:
    """Whether figures differ from what was published, in anything that was."""
    if differences(published, now):
        return True
    told, medians = now.as_data(), published["medians"]
    same_reasons = told["declined_by_reason"] == published["declined_by_reason"]
    return not same_reasons or told["medians"][: len(medians)] != medians


def watermark(told: Counted, changes: Sequence[Change], as_of: datetime) -> str:
    """The digest of the facts that figures are made of: the same facts, the same watermark, whenever it is counted."""
    referrals = told.referrals
    return digest(
        f"{change.referral_id} {change.version} {change.verb}"
        for change in changes
        if change.referral_id in referrals and change.occurred_at < as_of
    )


def digest(facts: Iterable[str]) -> str:
    """Of facts in any order, each told once or more."""
    return sha256("\n".join(sorted(set(facts))).encode()).hexdigest()[:32]
