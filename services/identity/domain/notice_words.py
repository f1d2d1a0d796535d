"""The words of mail about work: how much of what and where, and nothing of whom. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from services.identity.domain.letters import Words
from services.identity.domain.notices import Delivery, Topic, Waiting

MOST_LINES = 20
"""More lines than this are counted, not written."""

LONGEST_NAME = 80
_CHOOSE = "You choose in your notice preferences what you are told by mail, and when."


class _Said(NamedTuple):
    one: str
    many: str


_SAID: Final[Mapping[Topic, _Said]] = {
    Topic.NEW_REFERRAL: _Said("1 new referral", "{} new referrals"),
    Topic.OVERDUE: _Said("1 referral is overdue", "{} referrals are overdue"),
    Topic.DECLINED: _Said("1 referral was declined", "{} referrals were declined"),
    Topic.CANCELLED: _Said("1 referral was cancelled", "{} referrals were cancelled"),
    Topic.ATTENDANCE: _Said(
        "1 appointment has passed: please report attendance",
        "{} appointments have passed: please report attendance",
    ),
    Topic.OUTCOME: _Said(
        "1 referral has news of its outcome", "{} referrals have news of their outcome"
    ),
    Topic.CAMPAIGN: _Said(
        "1 review of accepted insurance plans is yours to do",
        "{} reviews of accepted insurance plans are yours to do",
    ),
    Topic.CAMPAIGN_HERE: _Said(
        "1 review of accepted insurance plans has begun where you keep them",
        "{} reviews of accepted insurance plans have begun where you keep them",
    ),
    Topic.CAMPAIGN_REMINDED: _Said(
        "1 review of accepted insurance plans is still open",
        "{} reviews of accepted insurance plans are still open",
    ),
    Topic.CAMPAIGN_ESCALATED: _Said(
        "1 review of accepted insurance plans was not finished when it was due",
        "{} reviews of accepted insurance plans were not finished when they were due",
    ),
    Topic.MANAGER_MISSING: _Said(
        "Plans are listed where nobody is insurance manager",
        "Plans are listed where nobody is insurance manager",
    ),
    Topic.GO_LIVE_MISSED: _Said(
        "1 office could not open on its first day", "{} offices could not open on their first day"
    ),
    Topic.OFFICE_UNCOVERED: _Said(
        "1 office is covered by nobody any more", "{} offices are covered by nobody any more"
    ),
    Topic.TASK: _Said("1 new task in the directory", "{} new tasks in the directory"),
    Topic.CASE_READY: _Said(
        "1 provider who leaves has nothing open any more",
        "{} providers who leave have nothing open any more",
    ),
    Topic.REMOVED_AS_ASKED: _Said(
        "1 provider was removed, as had been asked", "{} providers were removed, as had been asked"
    ),
    Topic.REMOVAL_HELD_UP: _Said(
        "1 provider could not be removed yet", "{} providers could not be removed yet"
    ),
    Topic.REPORT: _Said("1 new progress report", "{} new progress reports"),
    Topic.REVIEW_DUE: _Said(
        "1 progress report waits for its review", "{} progress reports wait for their review"
    ),
    Topic.FINDING: _Said(
        "1 rule of the scorecard was missed", "{} rules of the scorecard were missed"
    ),
    Topic.TRAINING: _Said("1 training is asked of you", "{} trainings are asked of you"),
    Topic.TRAINING_DUE: _Said("1 training is due soon", "{} trainings are due soon"),
    Topic.TRAINING_OVERDUE: _Said("1 training is overdue", "{} trainings are overdue"),
    Topic.GUIDE: _Said("1 guide is yours to read", "{} guides are yours to read"),
    Topic.INVITATION_BOUNCED: _Said("1 invitation did not arrive", "{} invitations did not arrive"),
    Topic.INVITATION_EXPIRED: _Said("1 invitation has run out", "{} invitations have run out"),
    Topic.AWAY_ENDED: _Said(
        "1 account was ended after 90 days without sign-in",
        "{} accounts were ended after 90 days without sign-in",
    ),
    Topic.ROLES_CHANGED: _Said("Your roles have changed", "Your roles have changed"),
}


class Line(NamedTuple):
    """What is said of one topic at one office, or nowhere in particular."""

    office: str
    said: str

    def __str__(self) -> str:
        """As it is written."""
        return (
            f"{self.office}: {self.said[:1].lower()}{self.said[1:]}" if self.office else self.said
        )


def lines(notices: Iterable[Waiting], names: Mapping[UUID, str]) -> list[Line]:
    """What is said of them: one line for each topic and office, the more urgent first. A thing counts once, however often it was told
    of. `names` are the offices' as far as they are known."""
    things = defaultdict[tuple[Topic, str], set[UUID]](set)
    for one in notices:
        name = names.get(one.office_id, "") if one.office_id else ""
        things[one.topic, _plain(name)].add(one.subject_id)
    order = list(Topic)
    ordered = sorted(things, key=lambda key: (order.index(key[0]), key[1].casefold()))
    return [Line(name, _count(topic, len(things[topic, name]))) for topic, name in ordered]


def _count(topic: Topic, count: int) -> str:
    said = _SAID[topic]
    return said.one if count == 1 else said.many.format(count)


def words(organization: str, delivery: Delivery, said: Sequence[Line], link: str) -> Words:
    """A mail that says these lines: at least one."""
    shown, more = said[:MOST_LINES], len(said) - MOST_LINES
    digest = delivery is Delivery.DAILY_DIGEST
    begin = f"Your day at {organization}:" if digest else f"New at {organization}:"
    return Words(
        f"{'Daily: ' if digest else ''}{_subject(_plain(organization), said)}",
        (begin, *(f"{line}." for line in shown), *([f"And {more} more."] if more > 0 else [])),
        link,
        (f"Sign in there to see more. {_CHOOSE}",),
    )


def _subject(organization: str, said: Sequence[Line]) -> str:
    if len(said) > 1:
        return str(Line(organization, f"{len(said)} things to look at"))
    return str(said[0] if said[0].office else Line(organization, said[0].said))


def _plain(name: str) -> str:
    """A name as one short line, so that it fits a subject."""
    line = " ".join("".join(one if one.isprintable() else " " for one in name).split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"
