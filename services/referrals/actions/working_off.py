"""What jobs do to referrals that are due: in batches, each by itself, so that one that fails keeps none of the others waiting."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from kit.db import AWAY, Connection
from services.referrals.actions.peers import Call
from services.referrals.domain import Referral, ReferralId

Lock: TypeAlias = Callable[[Connection, Sequence[ReferralId]], Awaitable[list[Referral]]]
"""The next batch of what is due, locked, without some that failed."""

Do: TypeAlias = Callable[[Connection, Referral], Awaitable[None]]


async def work_off(call: Call, lock: Lock, do: Do) -> int:
    """Do it to everything that is due. Answers how many; at the end, what failed is raised together. A database that went away is
    raised at once."""
    done, left, failures = 0, list[ReferralId](), list[Exception]()
    due = None
    while due is None or due:
        async with call.db.transaction() as tx:
            due = await lock(tx, left)
            for referral in due:
                failure = await _attempt(tx, referral, do)
                if failure is None:
                    done += 1
                else:
                    left.append(referral.id)
                    failures.append(failure)
    if failures:
        raise ExceptionGroup("a job failed in part", failures)
    return done


async def _attempt(tx: Connection, referral: Referral, do: Do) -> Exception | None:
    """Do it, or nothing of it; answers why not."""
    try:
        async with tx.transaction():
            await do(tx, referral)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the end
        return error
    return None


def differ() -> LookupError:
    """What is due by the store is not due by the rules: it is left alone rather than looked at again and again."""
    return LookupError("the store and the domain differ on what is due")
