"""From a request's parameters to its answer, whatever it came in by: admitted, then executed or followed live."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.auth import until_over
from gateway.executor import execute, subscribe
from gateway.http.answers import Body, Rejected, error, masked, refused, rejected
from gateway.http.fetches import Fetches, Signer
from gateway.http.stages import Stages
from gateway.plan import describe, to_json
from gateway.subgraphs import GRACE
from kit.errors import Refusal, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator

    from gateway.auth import Identity, Revocations, Session, Sessions
    from gateway.config import GatewaySettings
    from gateway.executor import Answer
    from gateway.http.params import Params
    from gateway.limits import Budget
    from gateway.operation import Operation
    from gateway.plan import QueryPlan
    from gateway.subgraphs import Subgraphs

FAREWELL = 1.0
"""Seconds that conversations have to end when the gateway stops."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One operation that a client wants run. `explain` is "", "plan" or "run" (development only); `watched` says that the caller
    itself ends a live query when its session ends."""

    params: Params
    authorization: str | None
    request_id: str
    explain: str = ""
    by_get: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """An operation that may run: by whom, with which variables, and how."""

    session: Session
    operation: Operation
    variables: dict[str, Any]
    plan: QueryPlan

    @property
    def live(self) -> bool:
        """Whether it is a subscription."""
        return self.operation.kind == "subscription"


@dataclass(frozen=True, slots=True)
class Edge:
    """Everything a request needs. `stopping` is set when the gateway is asked to end; `sockets` are the conversations open."""

    settings: GatewaySettings
    stages: Stages
    subgraphs: Subgraphs
    identity: Identity
    sessions: Sessions
    revocations: Revocations
    budget: Budget
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: set[asyncio.Task[Any]] = field(default_factory=set)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the current task among the conversations meanwhile."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a conversation runs in a task")
        self.sockets.add(task)
        try:
            yield
        finally:
            self.sockets.discard(task)

    async def stop(self) -> None:
        """Tell everything live to end, and give the conversations a moment to say so."""
        self.stopping.set()
        if self.sockets:
            await asyncio.wait(set(self.sockets), timeout=FAREWELL)

    @property
    def signer(self) -> Signer:
        """Signs viewers for subgraphs."""
        return Signer(self.settings.viewer_key, self.identity.clock)

    async def admit(self, ask: Ask) -> Admitted:
        """Find out who asks and hold the operation to the limits. Rejected, with everything there is to say, otherwise."""
        found = self.stages.parse(ask.params.query, ask.params.operation_name)
        mutates = found.kind == "mutation"
        if ask.by_get and mutates:
            raise _get_mutation()
        session = await self.session(ask.authorization, fresh=mutates)
        prepared = self.stages.prepare(found, anonymous=session.anonymous)
        variables = self.stages.coerce(prepared, ask.params.variables)
        self._spend(session, prepared.price.of(variables))
        plan = self.stages.plan(prepared.operation)
        return Admitted(session, prepared.operation, variables, plan)

    def _spend(self, session: Session, cost: int) -> None:
        """Take the cost from what the user may ask for in a minute. Nobody's questions are few and shallow anyway."""
        user_id = session.viewer.user_id
        if user_id is not None and (errors := self.budget.spend(user_id, cost)):
            raise Rejected(rejected(errors, "COST_BUDGET").errors, 429)

    async def session(self, authorization: str | None, *, fresh: bool) -> Session:
        """Who asks; Rejected when the token is bad or nobody can tell."""
        try:
            if not self.identity.synchronized:
                raise Unavailable("The gateway is starting.", remedy="Try again in a moment.")
            return await self.sessions.of(authorization, fresh=fresh)
        except Refusal as refusal:
            raise refused(refusal) from None

    async def answer(self, admitted: Admitted, ask: Ask) -> Body:
        """Run a query or a mutation. What takes too long is left out of the answer, as if its subgraph were away."""
        if ask.explain == "plan":
            return {"data": None, "extensions": {"explain": _explained(admitted.plan)}}
        fetches = self._fetches(admitted, ask.request_id)
        fetches.deadline = asyncio.get_running_loop().time() + self._seconds(admitted)
        began = time.perf_counter()
        answer = await execute(
            self.stages.supergraph,
            admitted.plan,
            admitted.operation,
            admitted.variables,
            fetches.send,
        )
        body = told(answer)
        if ask.explain == "run":
            taken = round((time.perf_counter() - began) * 1000, 3)
            explained = {**_explained(admitted.plan), "ms": taken, "fetches": fetches.timings}
            body["extensions"] = {"explain": explained}
        return body

    def _seconds(self, admitted: Admitted) -> int:
        mutates = admitted.operation.kind == "mutation"
        return self.settings.request_timeout * (GRACE if mutates else 1)

    async def follow(self, admitted: Admitted, ask: Ask) -> AsyncGenerator[Body]:
        """Run a subscription: its answers as they come. It ends with an error when its session does, or the gateway."""
        fetches = self._fetches(admitted, ask.request_id)
        answers = subscribe(
            self.stages.supergraph,
            admitted.plan,
            admitted.operation,
            admitted.variables,
            fetches.send,
            fetches.open_stream,
        )
        over = _never() if ask.watched else self.over(admitted.session)
        async with aclosing(_until(answers, over)) as bodies:
            async for body in bodies:
                yield body

    async def over(self, session: Session) -> Refusal:
        """Wait until nothing live of this session may go on: it has ended, or the gateway is about to."""
        ended = asyncio.ensure_future(until_over(session, self.identity, self.revocations))
        stopping = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return ended.result()
            return Unavailable("The gateway is stopping.", remedy="Subscribe again.")
        finally:
            ended.cancel()
            stopping.cancel()
            await asyncio.gather(ended, stopping, return_exceptions=True)

    def _fetches(self, admitted: Admitted, request_id: str) -> Fetches:
        return Fetches(self.subgraphs, self.signer, admitted.session.viewer, request_id)


def told(answer: Answer) -> Body:
    """An answer in GraphQL's shape."""
    body: Body = {"errors": answer.errors} if answer.errors else {}
    body["data"] = answer.data
    return body


def failed(fault: Exception) -> Rejected:
    """Whatever was raised while a request was served, as a rejection: expected ones as they are, others masked."""
    if isinstance(fault, Rejected):
        return fault
    if isinstance(fault, Refusal):
        return refused(fault)
    return Rejected([masked(fault)], 500)


async def _until(
    answers: AsyncIterator[Answer],
    over: Coroutine[Any, Any, Refusal],
) -> AsyncGenerator[Body]:
    ended = asyncio.ensure_future(over)
    coming = asyncio.ensure_future(_next(answers))
    try:
        while True:
            await asyncio.wait({ended, coming}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                yield {"errors": refused(ended.result()).errors}
                return
            answer = coming.result()
            if answer is None:
                return
            yield told(answer)
            coming = asyncio.ensure_future(_next(answers))
    finally:
        ended.cancel()
        coming.cancel()
        await asyncio.gather(ended, coming, return_exceptions=True)
        if (close := getattr(answers, "aclose", None)) is not None:
            await close()


async def _never() -> Refusal:
    await asyncio.Event().wait()
    raise AssertionError("nothing sets that event")


async def _next(answers: AsyncIterator[Answer]) -> Answer | None:
    return await anext(answers, None)


def _explained(plan: QueryPlan) -> Body:
    return {"plan": describe(plan), "json": to_json(plan)}


def _get_mutation() -> Rejected:
    message = "Mutations are not served by GET."
    return Rejected([error("METHOD_NOT_ALLOWED", message, remedy="Use POST.")], 405)
