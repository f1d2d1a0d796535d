"""Who might become office admin, and why (R-S1). A suggestion only: nobody is granted anything by it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from services.identity.domain.nouns import UserId
from services.identity.domain.roles import OfficeId

ACTIVE_WITHIN = timedelta(days=30)
OFTEN = 8
"""Days with a sign-in among the last thirty that count as working with the suite regularly."""

LONG = timedelta(days=180)
MOST = 3
"""So many candidates are shown for an office."""

_LEADING = re.compile(
    r"\b(manager|lead|leader|supervisor|director|head|coordinator|administrator|superuser|super user|informatics)\b"
)


class CandidateReason(StrEnum):
    """Why somebody is suggested. The order is the weight, the heaviest first."""

    TITLE = "TITLE"
    SIGNS_IN_OFTEN = "SIGNS_IN_OFTEN"
    SEVERAL_OFFICES = "SEVERAL_OFFICES"
    LONG_HERE = "LONG_HERE"


_WEIGHTS = {
    CandidateReason.TITLE: 4,
    CandidateReason.SIGNS_IN_OFTEN: 3,
    CandidateReason.SEVERAL_OFFICES: 2,
    CandidateReason.LONG_HERE: 1,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one of an office's staff. `colleagues` are the others who cover the office."""

    user_id: UserId
    name: str
    title: str | None
    office_id: OfficeId
    since: datetime
    days_signed_in: int
    offices: int
    colleagues: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who might become office admin of an office."""

    known: Known
    reasons: tuple[CandidateReason, ...]

    @property
    def score(self) -> int:
        """What the reasons weigh together."""
        return sum(_WEIGHTS[reason] for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class OfficeCandidates:
    """An office without an office admin, and who might become one: the best first, or nobody."""

    office_id: OfficeId
    candidates: tuple[Candidate, ...] = field(default=())


def suggest(known: Iterable[Known], now: datetime) -> list[OfficeCandidates]:
    """For each office the candidates, ranked; the same facts give the same order.

    Who is the only one to cover an office is not suggested for it: that would leave nobody for the referrals. And nobody is without a
    reason.
    """
    offices: dict[OfficeId, list[Candidate]] = {}
    for one in known:
        found = offices.setdefault(one.office_id, [])
        candidate = Candidate(one, _reasons(one, now))
        if one.colleagues and candidate.reasons:
            found.append(candidate)
    return [
        OfficeCandidates(office, tuple(sorted(found, key=_rank)[:MOST]))
        for office, found in sorted(offices.items())
    ]


def _rank(candidate: Candidate) -> tuple[int, int, str]:
    known = candidate.known
    return (-candidate.score, -known.days_signed_in, str(known.user_id))


def _reasons(known: Known, now: datetime) -> tuple[CandidateReason, ...]:
    true = {
        CandidateReason.TITLE: bool(_LEADING.search((known.title or "").casefold())),
        CandidateReason.SIGNS_IN_OFTEN: known.days_signed_in >= OFTEN,
        CandidateReason.SEVERAL_OFFICES: known.offices > 1,
        CandidateReason.LONG_HERE: now - known.since >= LONG,
    }
    return tuple(reason for reason in CandidateReason if true[reason])
