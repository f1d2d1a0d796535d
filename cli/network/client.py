"""A GraphQL client for one gateway: questions, verbs, live queries and the development clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from cli.trouble import Trouble
from gateway.config import SUPERGRAPH
from gateway.subgraphs.events import EventReader
from gateway.subgraphs.pool import Bounds, Pool
from gateway.subgraphs.wire import Exchange, Target, WireError
from gateway.supergraph import load_supergraph

if TYPE_CHECKING:
    from graphql import GraphQLObjectType

    from cli.network.people import Person

ACCEPT = {"accept": "application/json"}
PATIENCE = Bounds(connect=2.0, total=60.0)


class Refused(Exception):  # noqa: N818 - the API's expected "no"
    """A mutation answered with a problem; `problem` holds its code, message, field, remedy and whatever was asked of it."""

    def __init__(self, verb: str, problem: dict[str, Any]) -> None:
        super().__init__(f"{verb}: {problem['code']}: {problem['message']}")
        self.problem = problem
        self.code: str = problem["code"]


class AnswerError(Exception):
    """The answer had GraphQL errors; `code` is the first one's."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        first = errors[0]
        self.code: str = (first.get("extensions") or {}).get("code", "")
        super().__init__(f"{first['message']} {first.get('extensions', '')}")


class Client:
    """Talks to the gateway at `url`."""

    def __init__(self, url: str) -> None:
        self._graphql = Target.parse(f"{url}/graphql")
        self._clock = Target.parse(f"{url}/dev/clock")
        self._pool = Pool(self._graphql, PATIENCE)

    async def ask(
        self, query: str, variables: dict[str, Any] | None = None, *, by: Person | None = None
    ) -> dict[str, Any]:
        """The data of an answer; AnswerError when it has errors. A person whose session is over signs in again."""
        body = orjson.dumps({"query": query, "variables": variables or {}})
        try:
            return await self._exchange(body, await self._headers(by))
        except AnswerError as error:
            if by is None or error.code != "UNAUTHENTICATED":
                raise
        await by.sign_in()
        return await self._exchange(body, await self._headers(by))

    async def ask_with(self, token: str, query: str) -> dict[str, Any]:
        """Ask with an access token as it is, however old."""
        body = orjson.dumps({"query": query})
        return await self._exchange(body, ACCEPT | {"authorization": f"Bearer {token}"})

    async def do(
        self, verb: str, given: dict[str, Any], wanted: str, *, by: Person | None = None
    ) -> dict[str, Any]:
        """Do a verb: the mutation's success with the `wanted` fields; a problem is raised as Refused."""
        document = (
            f"mutation($input: {self._input_type(verb)}) {{ {verb}(input: $input) {{"
            f" __typename ... on Problem {{ code message field remedy }} {wanted} }} }}"
        )
        answer: dict[str, Any] = (await self.ask(document, {"input": given}, by=by))[verb]
        if "code" in answer and answer["__typename"].endswith("Problem"):
            raise Refused(verb, answer)
        return answer

    async def live(
        self,
        subscription: str,
        variables: dict[str, Any],
        *,
        by: Person,
        opened: asyncio.Event | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """The answers of a subscription, errors included, as they come over server-sent events; `opened` is set once the
        gateway has answered the request."""
        body = orjson.dumps({"query": subscription, "variables": variables})
        headers = await self._headers(by) | {"accept": "text/event-stream"}
        connection, exchange = await self._pool.open_stream(body, headers)
        if opened is not None:
            opened.set()
        try:
            if "text/event-stream" not in exchange.headers.get("content-type", ""):
                yield orjson.loads(b"".join([piece async for piece in connection.body(exchange)]))
                return
            reader = EventReader()
            async for piece in connection.body(exchange):
                for event in reader.feed(piece):
                    if event.name == "next":
                        yield orjson.loads(event.data)
        finally:
            connection.close()

    async def advance(self, by: timedelta) -> None:
        """Move the suite's clock; what became due is done when this returns."""
        await self._set_clock({"advance_seconds": int(by.total_seconds())})

    async def set_offset(self, offset: timedelta) -> None:
        """Set how far the suite's clock is from the real time."""
        await self._set_clock({"offset_seconds": int(offset.total_seconds())})

    async def _set_clock(self, body: dict[str, int]) -> None:
        pool = Pool(self._clock, PATIENCE)
        exchange = await _post(pool, orjson.dumps(body), ACCEPT | {"x-suite-dev": "1"})
        pool.close()
        if exchange.status != 200:  # noqa: PLR2004 - OK
            raise Trouble(f"The clock could not be moved ({exchange.status}).", "Is it ./suite up?")

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    async def _headers(self, by: Person | None) -> dict[str, str]:
        return ACCEPT if by is None else ACCEPT | {"authorization": f"Bearer {await by.token()}"}

    async def _exchange(self, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        exchange = await _post(self._pool, body, headers)
        answer = orjson.loads(exchange.take())
        if answer.get("errors"):
            raise AnswerError(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    @cached_property
    def _mutations(self) -> GraphQLObjectType:
        schema = load_supergraph(SUPERGRAPH.read_text(encoding="utf-8")).public_schema
        if schema.mutation_type is None:
            raise Trouble("The supergraph has no mutations.", "./suite contracts makes it anew.")
        return schema.mutation_type

    def _input_type(self, verb: str) -> str:
        return str(self._mutations.fields[verb].args["input"].type)


async def _post(pool: Pool, body: bytes, headers: dict[str, str]) -> Exchange:
    """One POST; Trouble when the gateway does not answer."""
    try:
        return await pool.post(body, headers, repeatable=False)
    except (WireError, OSError, TimeoutError) as error:
        raise Trouble(
            f"The gateway does not answer: {error or type(error).__name__}", "Is it ./suite up?"
        ) from None
