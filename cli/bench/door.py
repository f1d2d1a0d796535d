"""A subgraph's own door, asked as the gateway asks it: the baseline of what the gateway adds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from cli.network import Person
from cli.system import System
from cli.trouble import Trouble
from gateway.auth.identity import Identity
from gateway.subgraphs.pool import Bounds, Pool
from gateway.subgraphs.wire import Target
from kit.auth import VIEWER_HEADER, Viewer, sign_viewer

PATIENCE = Bounds(connect=2.0, total=60.0)


class Door:
    """The GraphQL door of one service, on behalf of one viewer, with the gateway's HTTP client and signature."""

    def __init__(self, system: System, name: str, viewer: Viewer) -> None:
        self._name, self._viewer = name, viewer
        self._key = bytes.fromhex(system.folder.viewer_key)
        url = f"http://127.0.0.1:{system.ports[name, 'http']}/graphql"
        self._pool = Pool(Target.parse(url), PATIENCE)

    async def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer; Trouble when there is anything else in it."""
        body = orjson.dumps({"query": query, "variables": variables or {}})
        signed = sign_viewer(self._viewer, audience=self._name, key=self._key, at=datetime.now(UTC))
        headers = {VIEWER_HEADER: signed, "accept": "application/json"}
        exchange = await self._pool.post(body, headers, repeatable=True)
        answer = orjson.loads(exchange.take())
        if answer.get("errors") or "data" not in answer:
            raise Trouble(f"{self._name} answered {answer.get('errors')}")
        data: dict[str, Any] = answer["data"]
        return data

    def close(self) -> None:
        """Hang up."""
        self._pool.close()


async def viewer_of(system: System, person: Person) -> Viewer:
    """A person as the gateway sees them."""
    address = f"127.0.0.1:{system.ports['identity', 'grpc']}"
    identity = Identity(address, key=bytes.fromhex(system.folder.viewer_key))
    try:
        await identity.synchronize()
        return (await identity.introspect(await person.token())).viewer
    finally:
        await identity.close()
