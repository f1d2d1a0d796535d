"""Asking support (R25): pre-filled from what was refused, answered by support, visible to who asked and to client admins."""

from dataclasses import dataclass, replace
from uuid import UUID

from google.protobuf.message import Message

from kit import audit, idempotency, outbox
from kit.db import Connection
from kit.errors import NotFound
from kit.ids import new_id
from proto.identity.v1.events_pb2 import (
    SupportRequestAnswered,
    SupportRequestOpened,
    SupportRequestTaken,
)
from services.identity import policy
from services.identity.actions.means import Call
from services.identity.actions.told import write_letter
from services.identity.domain import LetterKind, UserId, letters, line
from services.identity.domain.support import (
    LONGEST_ANSWER,
    Asker,
    RequestState,
    RequestWanted,
    SupportRequest,
    SupportRequestId,
)
from services.identity.store import support as rows


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody sent, as it was sent."""

    code: str
    verb: str
    subject_id: UUID | None
    note: str


async def request_support(call: Call, asked: Asked, *, key: str) -> SupportRequest:
    """Ask support about what was refused. The same asked in the same organization, while it is open, is the same request."""
    organization_id = policy.permit_asking(call.viewer)
    wanted = RequestWanted.of(asked.code, asked.verb, asked.subject_id, asked.note)
    async with call.db.transaction() as tx:
        now, by = call.clock.now(), UserId(call.viewer.require_user())

        async def make() -> UUID:
            opened = SupportRequestId(new_id())
            made = await rows.ask(tx, organization_id, wanted, opened, now)
            await rows.add_asker(tx, organization_id, Asker(made.id, by, now, wanted.note or None))
            if made.id == opened:
                fact = SupportRequestOpened(
                    request_id=str(made.id),
                    code=made.code,
                    verb=made.verb,
                    subject_id=str(made.subject_id or ""),
                )
                await _tell(tx, call, made, fact)
            else:
                await _note_further_asker(tx, call, made)
            return made.id

        made = await idempotency.once(
            tx, call.viewer, key=key, request=("requestSupport", wanted), at=now, make=make
        )
        return _found(await rows.request(tx, made))


async def _note_further_asker(tx: Connection, call: Call, request: SupportRequest) -> None:
    await audit.record(
        tx,
        call.viewer,
        act="support_request.asked",
        about=request.id,
        kind="support_request",
        organization_id=request.organization_id,
        at=call.clock.now(),
    )


async def take_request(call: Call, request_id: UUID, seen: int) -> SupportRequest:
    """Support looks into it. Taking it twice changes nothing but who does."""
    by = policy.permit_support(call.viewer)
    # whole-suite: support answers every organization
    async with call.db.for_support(call.viewer).transaction() as tx:
        request = _found(await rows.request(tx, request_id, lock=True))
        request.require_open(seen)
        await rows.keep_state(tx, request.id, RequestState.IN_PROGRESS, by, call.clock.now())
        await _tell(tx, call, request, SupportRequestTaken(request_id=str(request.id)))
        return _found(await rows.request(tx, request.id))


async def answer_request(
    call: Call, request_id: UUID, seen: int, *, done: bool, answer: str
) -> SupportRequest:
    """Support has done what was asked, or will not, and says so to all who asked."""
    by = policy.permit_support(call.viewer)
    said = (
        RequestState.DONE if done else RequestState.REFUSED,
        line(answer, "answer", LONGEST_ANSWER),
    )
    # whole-suite: support answers every organization
    async with call.db.for_support(call.viewer).transaction() as tx:
        request = _found(await rows.request(tx, request_id, lock=True))
        request.require_open(seen)
        await rows.keep_answer(tx, request.id, said, by, call.clock.now())
        fact = SupportRequestAnswered(request_id=str(request.id), state=said[0])
        await _tell(tx, call, request, fact)
        await _write(call, tx, replace(request, state=said[0]))
        return _found(await rows.request(tx, request.id))


def _found(request: SupportRequest | None) -> SupportRequest:
    """NotFound for another organization's request exactly as for one that never was."""
    if request is None:
        raise NotFound("There is no such request.", field="requestId")
    return request


async def _write(call: Call, tx: Connection, request: SupportRequest) -> None:
    """A letter to each who asked. What was asked and answered stays in the suite."""
    outcome = "done what you asked" if request.state is RequestState.DONE else "answered"
    subject = f"Support has {outcome}"
    words = letters.notice(
        subject,
        f"{subject}: {request.code}.",
        "Sign in and look at your requests to support to read the answer.",
    )
    for asker in (await rows.askers(tx, [request.id])).get(request.id, []):
        await write_letter(call, tx, LetterKind.NOTICE, asker.user_id, words)


async def _tell(tx: Connection, call: Call, request: SupportRequest, fact: Message) -> None:
    await outbox.record(
        tx,
        fact,
        organization_id=request.organization_id,
        aggregate="support_request",
        aggregate_id=request.id,
        at=call.clock.now(),
        by=call.viewer,
    )
