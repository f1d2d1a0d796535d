"""The fetches of one request: signed for each subgraph, timed, their errors made fit for the client."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from gateway.executor import SubgraphReply, SubgraphUnavailable
from gateway.http.answers import log, passed_on
from gateway.subgraphs import SubgraphError, SubgraphSilent
from kit.auth import VIEWER_HEADER, Viewer, sign_viewer
from kit.logs import client_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.executor import SubgraphRequest
    from gateway.subgraphs import Exchange, Subgraphs
    from kit.clock import Clock

REQUEST_ID = "x-request-id"
CLIENT_HEADER = "x-client-address"
"""Where the request came from, for slowing down who guesses passwords."""

HTTP_OK = 200
_REQUEST_ERRORS = frozenset({200, 400, 422})


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs viewers for the processes behind the gateway."""

    key: bytes
    clock: Clock

    def headers(self, viewer: Viewer, *, audience: str, request_id: str) -> dict[str, str]:
        """The headers by which `audience` knows on whose behalf it is asked."""
        signed = sign_viewer(viewer, audience=audience, key=self.key, at=self.clock.real())
        return {
            VIEWER_HEADER: signed,
            REQUEST_ID: request_id,
            CLIENT_HEADER: client_address.get(),
        }


@dataclass(slots=True)
class Fetches:
    """Asks subgraphs on behalf of one viewer, for one request. `timings` says what was asked and how long it took.

    At the `deadline`, in the loop's time, whatever has not been answered counts as unavailable. A subgraph that was silent once is not
    asked again before it, so that one that hangs does not use up the time of the others.
    """

    subgraphs: Subgraphs
    signer: Signer
    viewer: Viewer
    request_id: str
    deadline: float | None = None
    silent: set[str] = field(default_factory=set)
    timings: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, subgraph: str, body: SubgraphRequest) -> SubgraphReply:
        """One query or mutation; SubgraphUnavailable when there is no usable answer."""
        began = time.perf_counter()
        try:
            exchange = await self._post(subgraph, body)
            if exchange.status not in _REQUEST_ERRORS:
                raise SubgraphError(subgraph, f"status {exchange.status}")
            return _reply(subgraph, exchange.take())
        except SubgraphError as error:
            log.warning(
                "a subgraph gave no answer",
                extra={"subgraph": subgraph, "because": error.reason, "kind": body.kind},
            )
            raise SubgraphUnavailable(subgraph) from error
        finally:
            taken = round((time.perf_counter() - began) * 1000, 3)
            self.timings.append({"subgraph": subgraph, "ms": taken, "query": body.query})

    async def _post(self, subgraph: str, body: SubgraphRequest) -> Exchange:
        late = self.deadline is not None and asyncio.get_running_loop().time() >= self.deadline
        if late or subgraph in self.silent:
            raise SubgraphError(subgraph, "not asked: no time is left for it")
        headers = {**self._headers(subgraph), "accept": "application/json"}
        try:
            async with asyncio.timeout_at(self.deadline):
                return await self.subgraphs.post(
                    subgraph, _payload(body), headers, repeatable=body.kind == "query"
                )
        except TimeoutError as error:
            raise SubgraphSilent(subgraph) from error
        except SubgraphSilent:
            if self.deadline is not None:
                self.silent.add(subgraph)
            raise

    async def open_stream(
        self, subgraph: str, body: SubgraphRequest
    ) -> AsyncIterator[SubgraphReply]:
        """The answers of a live query until it completes; SubgraphUnavailable when it breaks off."""
        events = self.subgraphs.stream(subgraph, _payload(body), self._headers(subgraph))
        try:
            async with aclosing(events):
                async for event in events:
                    if event.name == "next":
                        yield _reply(subgraph, event.data.encode())
                    elif event.name == "complete":
                        return
            raise SubgraphError(subgraph, "the stream ended before it was complete")
        except SubgraphError as error:
            log.warning(
                "a subgraph's stream failed",
                extra={"subgraph": subgraph, "because": error.reason},
            )
            raise SubgraphUnavailable(subgraph) from error

    def _headers(self, subgraph: str) -> dict[str, str]:
        return self.signer.headers(self.viewer, audience=subgraph, request_id=self.request_id)


def _payload(body: SubgraphRequest) -> bytes:
    content: dict[str, Any] = {"query": body.query}
    if body.variables:
        content["variables"] = body.variables
    if body.operation_name:
        content["operationName"] = body.operation_name
    return orjson.dumps(content)


def _reply(subgraph: str, raw: bytes) -> SubgraphReply:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise SubgraphError(subgraph, "the answer is not JSON") from None
    if not isinstance(body, dict) or not ("data" in body or "errors" in body):
        raise SubgraphError(subgraph, "the answer is not GraphQL")
    errors = body.get("errors") or []
    return SubgraphReply(body.get("data"), [passed_on(subgraph, error) for error in errors])
