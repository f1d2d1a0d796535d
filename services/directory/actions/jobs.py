"""What is done without anybody asking: offices go live, leaving things go on after a crash, suggestions are looked over."""

import logging
from datetime import timedelta
from functools import partial

from kit.each import each
from kit.errors import Refusal
from services.directory import store
from services.directory.actions import (
    closing,
    group_removal,
    peers,
    removal,
    staying,
    suggestions,
)
from services.directory.actions.peers import Call
from services.directory.domain.nouns import FenceStep
from services.directory.store.fences import Waiting

log = logging.getLogger(__name__)

LEFT_ALONE = timedelta(seconds=30)
"""How long a verb that is under way is left to itself; questions to siblings take two seconds at most."""

_REMOVALS = {
    peers.PROVIDER: removal.finish_removal,
    peers.OFFICE: closing.finish_closing,
    peers.GROUP: group_removal.finish_removal,
}
_KEEPINGS = {
    peers.PROVIDER: removal.finish_keeping,
    peers.OFFICE: staying.finish_keeping,
    peers.GROUP: group_removal.finish_keeping,
}


async def resume_leaving(call: Call) -> None:
    """Go on with every case that a crash or an absent sibling has left, and with every office that is closing (R15, R19)."""
    async with call.db.reading() as tx:
        waiting = await store.fences.waiting(tx, since=call.clock.now() - LEFT_ALONE)
    await each(waiting, partial(_resume, call))


async def _resume(call: Call, one: Waiting) -> None:
    step = _REMOVALS if one.step is FenceStep.REMOVING else _KEEPINGS
    try:
        await step[one.kind](call, one.organization_id, one.subject_id, one.version)
    except Refusal as refusal:
        log.info(
            "a case goes on later",
            extra={"kind": one.kind, "subject_id": str(one.subject_id), "because": refusal.code},
        )


async def review_suggestions(call: Call) -> None:
    """Look over the suggestions of every office: days pass, and a crash may have come between a change and its review."""
    async with call.db.reading() as tx:
        offices = await store.suggestions.offices_to_review(tx)
    await each(offices, lambda one: suggestions.review(call, one[0], [one[1]]))
