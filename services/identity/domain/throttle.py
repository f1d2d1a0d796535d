"""The pace of sign-in attempts, and what counts as one source."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil

from kit.errors import RateLimited

FREE_ATTEMPTS = 3
LONGEST_DELAY = timedelta(minutes=20)
"""With this, a whole day of attack is 85 guesses: 14 until the wait is this long, then three an hour."""

ATTEMPTS_FORGOTTEN = timedelta(days=1)

SOURCE_KNOWN = timedelta(days=90)
"""How long after a success a source is known for the account and has a pace of its own."""

_HOUSEHOLD = 64
"""Bits of an IPv6 address that a household keeps; its machines change the others daily, and an attacker at will."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Sign-ins of one account that count as failed: from one source known for it, or from all other sources together."""

    failures: int
    last_at: datetime
    next_at: datetime


def after_attempt(before: Attempts | None, now: datetime) -> Attempts:
    """The attempts with one more, which counts as failed until it succeeds; RateLimited when it comes too early.

    The first three are free, then the wait doubles from a second to twenty minutes. It is never a lock, and a day without an
    attempt forgets everything. Of two that come at once the later may have read the clock first: it is none the earlier for that.
    """
    if before is None or now >= before.last_at + ATTEMPTS_FORGOTTEN:
        before = Attempts(0, now, now)
    now = max(now, before.last_at)
    if now < before.next_at:
        wait = ceil((before.next_at - now).total_seconds())
        raise RateLimited(
            f"Too many attempts. Try again in {wait} seconds.",
            remedy="Wait, then try again.",
            retry_after_seconds=wait,
        )
    failures = before.failures + 1
    return Attempts(failures, now, now + delay_after(failures))


def delay_after(failures: int) -> timedelta:
    """How long to wait after this many failures in a row."""
    if failures < FREE_ATTEMPTS:
        return timedelta()
    doublings = min(failures - FREE_ATTEMPTS, 20)
    return min(LONGEST_DELAY, timedelta(seconds=1 << doublings))


def withdrawn(
    current: Attempts | None, *, own: Attempts, before: Attempts | None
) -> Attempts | None:
    """The attempts as if `own`, which succeeded and had found `before`, had not been; what others did since still counts. So
    somebody who signs in from ever new places is not slowed down by it, and gives whoever is guessing meanwhile nothing."""
    if current == own:
        return before
    if current is None or current.failures <= 1:
        return None
    return replace(current, failures=current.failures - 1)


def source_of(address: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 network of an IPv6 address; any other text as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), _HOUSEHOLD), strict=False).network_address)
