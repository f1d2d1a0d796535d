"""What a half-made demo world needs to be made whole: when it was begun, and the passwords, kept in a file until it is done."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from cli.seed.world import ZONE
from cli.servers.secrets import write_private
from cli.trouble import Trouble

LEAD_DAYS = 8
"""Offices are added so long before they go live: R16's seven days are kept without an excuse."""

STEP_DAYS_AGO = (35, 32, 30, 28, 25, 23, 21, 18, 16, 14, 11, 9, 7, 4, 3, 1)
"""On (the workdays nearest before) these days somebody works referrals: five weeks."""

_OPENS, _HOURS = 9, 8
_SATURDAY = 5


@dataclass(frozen=True)
class Notes:
    """Everything in the world that depends on when and where it is made. Kept, so that making it again makes the same."""

    begun: datetime
    secret: str = field(repr=False)

    @classmethod
    def kept(cls, file: Path) -> Notes:
        """Those of an interrupted run, or new ones, which are written down before anything is made."""
        if file.exists():
            try:
                known = json.loads(file.read_text(encoding="utf-8"))
                return cls(datetime.fromisoformat(known["begun"]), known["secret"])
            except (ValueError, KeyError, TypeError):
                raise Trouble(
                    f"{file} cannot be read, so the demo world cannot be finished.",
                    "Start anew with another --data folder, or go on without: ./suite up --no-demo.",
                ) from None
        fresh = cls(datetime.now(UTC).replace(microsecond=0), secrets.token_hex(32))
        write_private(file, json.dumps({"begun": fresh.begun.isoformat(), "secret": fresh.secret}))
        return fresh

    def password(self, email: str) -> str:
        """A person's password: the same in every run that finishes this world, and in no other world."""
        digest = hmac.digest(bytes.fromhex(self.secret), email.encode(), sha256)
        letters = b32encode(digest).decode().lower()
        return "-".join(letters[at : at + 5] for at in range(0, 15, 5))

    @property
    def today(self) -> date:
        """The day the world is made on, where its people live."""
        return self.begun.astimezone(ZoneInfo(ZONE)).date()

    @property
    def live_on(self) -> date:
        """The first day of every office: on it the first step is taken."""
        return self.steps()[0].date()

    def setup(self) -> datetime:
        """When the organizations open and everything is put in place."""
        return at_hour(self.live_on - timedelta(days=LEAD_DAYS), _OPENS)

    def steps(self) -> list[datetime]:
        """The moments at which referrals are worked, in office hours, each later than the one before."""
        moments: list[datetime] = []
        for number, days_ago in enumerate(STEP_DAYS_AGO):
            at = at_hour(workday(self.today - timedelta(days=days_ago)), _OPENS + number * 3 % 5)
            if moments and at <= moments[-1]:
                at = moments[-1] + timedelta(hours=2)
            moments.append(at)
        return moments


def at_hour(day: date, hour: int) -> datetime:
    """An hour of a day, where the offices are."""
    return datetime.combine(day, time(hour, 20), ZoneInfo(ZONE))


def workday(day: date) -> date:
    """The day, or the Friday before when it is on a weekend."""
    return day - timedelta(days=max(0, day.weekday() - _SATURDAY + 1))


def visits(after: datetime, before: datetime) -> list[datetime]:
    """Half hours at which a patient can be seen, later than `after` and earlier than `before`."""
    day, found = after.date() + timedelta(days=1), []
    while day < before.date():
        if workday(day) == day:
            found += [
                datetime.combine(day, time(_OPENS + half // 2, half % 2 * 30), ZoneInfo(ZONE))
                for half in range(2 * _HOURS)
            ]
        day += timedelta(days=1)
    return found
