"""Executes plans: fetches, entities, merging, and the client's shape of the answer."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from gateway.executor.errors import null_errors, unavailable, without_repeats
from gateway.executor.introspection import introspect
from gateway.executor.run import Run
from gateway.executor.shape import shape
from gateway.executor.wire import (
    Answer,
    OpenStream,
    Send,
    SubgraphReply,
    SubgraphRequest,
    SubgraphUnavailable,
)
from gateway.plan import Sequence, Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.executor.wire import Data
    from gateway.operation import Operation
    from gateway.plan import Node, QueryPlan
    from gateway.supergraph import Supergraph

__all__ = [
    "Answer",
    "OpenStream",
    "Send",
    "SubgraphReply",
    "SubgraphRequest",
    "SubgraphUnavailable",
    "execute",
    "subscribe",
]


async def execute(
    supergraph: Supergraph, plan: QueryPlan, operation: Operation, variables: Data, send: Send
) -> Answer:
    """Run a query or mutation; `variables` are coerced already."""
    run = Run(supergraph.tables, variables, send)
    if plan.node is not None:
        await run.node(plan.node)
    return _answer(supergraph, operation, run)


def _answer(supergraph: Supergraph, operation: Operation, run: Run) -> Answer:
    run.data.update(introspect(supergraph, operation, run.variables))
    data, nulls = shape(supergraph, operation, run.variables, run.data)
    errors = without_repeats(run.errors)
    if data is not None or not errors:
        errors.extend(null_errors(nulls, errors))
    return Answer(data, errors)


async def subscribe(
    supergraph: Supergraph,
    plan: QueryPlan,
    operation: Operation,
    variables: Data,
    send: Send,
    open_stream: OpenStream,
) -> AsyncIterator[Answer]:
    """One answer per event of the subgraph's stream, each completed by the rest of the plan."""
    primary, rest = _split(plan)
    fetch = primary.primary
    used = {name: variables[name] for name in fetch.variables if name in variables}
    body = SubgraphRequest(fetch.operation, used, fetch.operation_name, "subscription")
    try:
        stream: Any = open_stream(fetch.service, body)
        async with aclosing(stream):
            async for reply in stream:
                run = Run(supergraph.tables, variables, send)
                run.absorb(fetch, reply, [run.data])
                for node in rest:
                    await run.node(node)
                yield _answer(supergraph, operation, run)
    except SubgraphUnavailable:
        yield Answer(None, [unavailable(fetch.service, fetch.kind, ())])


def _split(plan: QueryPlan) -> tuple[Subscription, tuple[Node, ...]]:
    """The stream at the head of a plan, and what completes its events."""
    nodes = plan.node.nodes if isinstance(plan.node, Sequence) else (plan.node,)
    if not isinstance(nodes[0], Subscription):
        message = "this plan does not start with a subscription"
        raise TypeError(message)
    return nodes[0], tuple(node for node in nodes[1:] if node is not None)
