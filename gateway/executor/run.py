"""Runs the nodes of one plan against one request's data."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from gateway.executor.entities import Entities, Representations
from gateway.executor.errors import first, moved, static_path, unavailable
from gateway.executor.rewrites import rewrite
from gateway.executor.wire import SubgraphReply, SubgraphRequest, SubgraphUnavailable
from gateway.plan import (
    BatchFetch,
    BatchPart,
    Condition,
    Fetch,
    Flatten,
    Parallel,
    Sequence,
    Subscription,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.executor.entities import ClientPath
    from gateway.executor.wire import Data, ErrorBody, Send
    from gateway.plan import Node, Path
    from gateway.supergraph.tables import Tables

ENTITIES = "_entities"
REPRESENTATIONS = "representations"
Found: TypeAlias = "tuple[BatchPart, Representations]"


class Run:
    """One execution: `data` grows with each reply, `errors` carry the client's paths."""

    def __init__(self, tables: Tables, variables: Data, send: Send) -> None:
        self.entities = Entities(tables)
        self.variables = variables
        self.send = send
        self.data: Data = {}
        self.errors: list[ErrorBody] = []

    async def node(self, node: Node, path: Path = ()) -> None:
        """Run one node for the objects at a path."""
        if isinstance(node, Fetch):
            await self._fetch(node, path)
        elif isinstance(node, BatchFetch):
            await self._batch(node)
        elif isinstance(node, Flatten):
            await self.node(node.node, (*path, *node.path))
        elif isinstance(node, Subscription):
            message = "a subscription is run by subscribe(), not by execute()"
            raise TypeError(message)
        else:
            await self._compound(node, path)

    async def _compound(self, node: Sequence | Parallel | Condition, path: Path) -> None:
        if isinstance(node, Sequence):
            for each in node.nodes:
                await self.node(each, path)
        elif isinstance(node, Parallel):
            async with asyncio.TaskGroup() as group:
                for each in node.nodes:
                    group.create_task(self.node(each, path))
        else:
            chosen = node.if_true if self.variables.get(node.variable) else node.if_false
            if chosen is not None:
                await self.node(chosen, path)

    async def _fetch(self, node: Fetch, path: Path) -> None:
        if node.requires:
            part = BatchPart(
                ENTITIES,
                REPRESENTATIONS,
                (path,),
                node.requires,
                node.input_rewrites,
                node.output_rewrites,
            )
            await self._entities(node, (part,))
            return
        objects = self.entities.at(self.data, path)
        if not objects:
            return
        place = static_path(path)
        reply = await self._ask(node, {}, place)
        if reply is not None:
            self.absorb(node, reply, objects, place)

    def absorb(
        self, node: Fetch, reply: SubgraphReply, objects: list[Data], place: ClientPath = ()
    ) -> None:
        """Take in the reply to a fetch of root fields."""
        data = reply.data or {}
        rewrite(self.entities, data, node.output_rewrites)
        for number, target in enumerate(objects):
            self.entities.merge(target, deepcopy(data) if number else data)
        errors = (moved(e, (*place, *(e.get("path") or ()))) for e in reply.errors)
        self.errors.extend(first(errors, node.service, place))

    async def _batch(self, node: BatchFetch) -> None:
        await self._entities(node, node.parts)

    async def _entities(self, node: Fetch | BatchFetch, parts: tuple[BatchPart, ...]) -> None:
        """One request for all parts; none at all when nothing needs to be asked."""
        found = [(part, self._represented(part)) for part in parts]
        if not any(representations.values for _, representations in found):
            return
        given = {part.representations: reps.values for part, reps in found}
        places = {static_path(path) for part in parts for path in part.paths}
        place = places.pop() if len(places) == 1 else ()
        reply = await self._ask(node, given, place)
        if reply is None:
            return
        located = (self._located(part, reps, reply.errors) for part, reps in found)
        errors = chain(_unplaced(parts, place, reply.errors), *located)
        self.errors.extend(first(errors, node.service, place))
        for part, representations in found:
            self._take(part, representations, reply)

    def _represented(self, part: BatchPart) -> Representations:
        found = Representations(self.entities)
        for number, path in enumerate(part.paths):
            found.add(number, self.entities.at(self.data, path), part.requires)
        for value in found.values:
            rewrite(self.entities, value, part.input_rewrites)
        return found

    def _take(self, part: BatchPart, found: Representations, reply: SubgraphReply) -> None:
        """Merge each entity into all its owners."""
        entities = (reply.data or {}).get(part.alias) or ()
        rewrite(self.entities, entities, part.output_rewrites)
        for entity, owners in zip(entities, found.owners, strict=False):
            if entity is not None:
                self._merge_into(owners, entity)

    def _merge_into(self, owners: list[tuple[int, int, Data]], entity: Data) -> None:
        """Owners at one path may share what they get; owners at different paths may not.

        What is fetched later differs from path to path, under response keys that may clash.
        """
        copies: dict[int, Data] = {}
        for path_number, _, owner in owners:
            mine = copies.get(path_number)
            if mine is None:
                mine = copies[path_number] = deepcopy(entity) if copies else entity
            self.entities.merge(owner, mine)

    def _located(
        self, part: BatchPart, found: Representations, errors: list[ErrorBody]
    ) -> Iterator[ErrorBody]:
        """A part's errors, each under the client's path of every object it is about."""
        mine = [e for e in errors if e.get("path") and e["path"][0] == part.alias]
        if not mine:
            return
        paths = [self.entities.paths_at(self.data, path) for path in part.paths]
        for error in mine:
            inside = error["path"][1:]
            owners = found.owners_of(inside[0] if inside else None)
            ways = [paths[number][place] for number, place in owners if place < len(paths[number])]
            below = inside[1:] if ways else ()
            for way in ways or [static_path(part.paths[0])]:
                yield moved(error, (*way, *below))

    async def _ask(
        self, node: Fetch | BatchFetch, given: Data, place: ClientPath
    ) -> SubgraphReply | None:
        """Send a request with the variables it uses; None when the subgraph is unavailable."""
        used = {n: self.variables[n] for n in node.variables if n in self.variables}
        body = SubgraphRequest(node.operation, {**given, **used}, node.operation_name, node.kind)
        try:
            return await self.send(node.service, body)
        except SubgraphUnavailable:
            self.errors.append(unavailable(node.service, node.kind, place))
            return None


def _unplaced(
    parts: tuple[BatchPart, ...], place: ClientPath, errors: list[ErrorBody]
) -> Iterator[ErrorBody]:
    """The errors of a request for entities that say nothing of a part of it."""
    known = {part.alias for part in parts}
    for error in errors:
        if not error.get("path") or error["path"][0] not in known:
            yield moved(error, place)
