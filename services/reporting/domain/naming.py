"""What files of reports call offices, providers and plans: directory data, by names that people know (R31)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.reporting.domain.counting import Dimension
from services.reporting.domain.letters import written

UNKNOWN = "name unknown"
"""What is said where nobody could be asked, or nobody knows it any more: the id beside it is whose it is."""

_TAIL = 6


@dataclass(frozen=True, slots=True)
class Names:
    """What is known when a file is made."""

    offices: Mapping[UUID, str] = field(default_factory=dict)
    providers: Mapping[UUID, str] = field(default_factory=dict)
    plans: Mapping[UUID, str] = field(default_factory=dict)
    groups: Mapping[UUID, str] = field(default_factory=dict)

    def office(self, id_: UUID) -> str:
        """An office."""
        return self.offices.get(id_) or UNKNOWN

    def provider(self, id_: UUID | None) -> str:
        """A provider; None has referrals to a group, while nobody had claimed them."""
        return "nobody in particular" if id_ is None else self.providers.get(id_) or UNKNOWN

    def plan(self, id_: UUID | None) -> str:
        """A plan; None: the facts did not tell which."""
        return "not told" if id_ is None else self.plans.get(id_) or UNKNOWN

    def of(self, dimension: Dimension, key: str) -> str:
        """What moved a number: a coded reason is its own name, and an office that the organization does not have another's."""
        if dimension is Dimension.REASON:
            return key
        if dimension is Dimension.PROVIDER:
            return self.provider(UUID(key))
        if dimension is Dimension.SENDING_GROUP:
            return self.groups.get(UUID(key)) or UNKNOWN
        return self.offices.get(UUID(key)) or "an office of another organization"


def plan_name(name: str, payer: str) -> str:
    """A plan as people tell it from others: with its payer, unless that is said already."""
    return name if name.startswith(payer) else f"{payer}: {name}"


def told_apart(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Names for pages, where no id stands beside them: those that read alike, or cannot be read there, have the end of their ids
    with them."""
    alike = Counter(written(name).text for name, _ in rows)

    def told(name: str, id_: str) -> str:
        shown = written(name)
        plain = not id_ or (shown.whole and alike[shown.text] == 1 and name != UNKNOWN)
        return name if plain else f"{name} (…{id_[-_TAIL:]})"

    return [told(name, id_) for name, id_ in rows]
