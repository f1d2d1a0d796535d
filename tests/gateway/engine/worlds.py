"""Small federated worlds in one process: the same records and rules behind subgraphs and monolith."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from graphql import (
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    print_schema,
    validate,
)

from gateway.executor import (
    Answer,
    SubgraphReply,
    SubgraphRequest,
    SubgraphUnavailable,
    execute,
    subscribe,
)
from gateway.operation import coerce_variables, parse_document, prepare, validate_document
from gateway.plan import QueryPlan
from gateway.planner import plan
from gateway.selections import Field, Selections, parse_field_set
from gateway.supergraph import Supergraph, load_supergraph
from gateway.supergraph.reader import directives

HERE = Path(__file__).parent
FEDERATION = """
directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @shareable on OBJECT | FIELD_DEFINITION
directive @external on OBJECT | FIELD_DEFINITION
directive @requires(fields: String!) on FIELD_DEFINITION
directive @provides(fields: String!) on FIELD_DEFINITION
directive @override(from: String!) on FIELD_DEFINITION
directive @interfaceObject on OBJECT
directive @inaccessible on OBJECT | FIELD_DEFINITION | ENUM_VALUE | INTERFACE | UNION
scalar _Any
"""
Value: TypeAlias = Any
Records = Mapping[str, Mapping[str, Mapping[str, Any]]]
Rule = Callable[..., Any]


@dataclass(frozen=True)
class Ref:
    """Points from one record to another."""

    type: str
    id: str


@dataclass(frozen=True)
class Seen:
    """A record as one subgraph sees it; external fields come from `held` or were provided."""

    type: str
    record: Mapping[str, Any]
    held: Mapping[str, Any] | None = None
    external: frozenset[tuple[str, str]] = frozenset()
    provided: Selections = ()

    def __getitem__(self, name: str) -> Value:
        if (self.type, name) not in self.external:
            return self.record[name]
        if self.held is not None and name in self.held:
            return self.held[name]
        if any(field.name == name for field in _fields_for(self.type, self.provided)):
            return self.record[name]
        message = f"{self.type}.{name} is external here and was not handed over"
        raise GraphQLError(message)


class Resolvers:
    """Answers fields for one schema from records and rules."""

    def __init__(self, world: World, sdl: str) -> None:
        self.world = world
        self.external: set[tuple[str, str]] = set()
        self.provides: dict[tuple[str, str], Selections] = {}
        self.objects: set[str] = set()
        for node in parse(sdl).definitions:
            if isinstance(node, ObjectTypeDefinitionNode):
                self.objects.add(node.name.value)
                self._read(node)

    def _read(self, node: ObjectTypeDefinitionNode) -> None:
        for member in node.fields or ():
            place = (node.name.value, member.name.value)
            if directives(member, "external"):
                self.external.add(place)
            for use in directives(member, "provides"):
                self.provides[place] = parse_field_set(use["fields"])

    def resolve(self, source: Value, info: GraphQLResolveInfo, **arguments: Value) -> Value:
        type_, name = info.parent_type.name, info.field_name
        if isinstance(source, dict):
            return source.get(name)
        rule = self.world.rules.get(f"{type_}.{name}")
        given = self.provides.get((type_, name), ())
        if rule is None or (type_, name) in self.external:
            return self._see(source[name], given or _below(source, name))
        return self._see(rule(source, **arguments), given)

    def _see(self, value: Value, provided: Selections = ()) -> Value:
        if isinstance(value, list):
            return [self._see(item, provided) for item in value]
        if not isinstance(value, Ref):
            return value
        type_ = value.type if value.type in self.objects else self.world.interfaces[value.type]
        record = self.world.records[value.type].get(value.id)
        return None if record is None else self.seen(type_, record, None, provided)

    def seen(
        self,
        type_: str,
        record: Mapping[str, Any],
        held: Mapping[str, Any] | None,
        provided: Selections = (),
    ) -> Seen:
        return Seen(type_, record, held, frozenset(self.external), provided)

    def entities(self, *_: object, representations: list[Any]) -> list[Any]:
        return [self._entity(representation) for representation in representations]

    def _entity(self, held: dict[str, Any]) -> Value:
        named = held["__typename"]
        members = (t for t, i in self.world.interfaces.items() if i == named)
        for type_ in self.objects & {named, *members}:
            for keys in self.world.keys[named]:
                wanted = [held.get(key) for key in keys]
                for record in () if None in wanted else self.world.records[type_].values():
                    if [self._plain(record[key]) for key in keys] == wanted:
                        return self.seen(type_, record, held)
        return None

    def _plain(self, value: Value) -> Value:
        if isinstance(value, Ref):
            return dict(self.world.records[value.type][value.id])
        return value


def _fields_for(type_: str, selections: Selections) -> Iterator[Field]:
    for selection in selections:
        if isinstance(selection, Field):
            yield selection
        elif selection.type in {None, type_}:
            yield from _fields_for(type_, selection.selections)


def _below(source: Value, name: str) -> Selections:
    provided = getattr(source, "provided", ())
    return tuple(
        s for f in provided if isinstance(f, Field) and f.name == name for s in f.selections
    )


def _type_of(value: Value, *_: object) -> str:
    return value["__typename"] if isinstance(value, dict) else value.type


def executable(world: World, sdl: str, *, federated: bool) -> GraphQLSchema:
    """A schema that answers from the world, with `_entities` when it is a subgraph."""
    resolvers = Resolvers(world, sdl)
    text = sdl
    if federated:
        text = FEDERATION + sdl + _entity_definitions(sdl)
    schema = build_schema(text, assume_valid_sdl=True)
    for type_ in schema.type_map.values():
        for name, member in getattr(type_, "fields", {}).items():
            if not type_.name.startswith("__") and hasattr(member, "resolve"):
                entities = name == "_entities"
                member.resolve = resolvers.entities if entities else resolvers.resolve
        if hasattr(type_, "resolve_type"):
            type_.resolve_type = _type_of
    return schema


def _entity_definitions(sdl: str) -> str:
    keyed = [
        node.name.value
        for node in parse(sdl).definitions
        if isinstance(node, ObjectTypeDefinitionNode) and directives(node, "key")
    ]
    if not keyed:
        return ""
    entities = "_entities(representations: [_Any!]!): [_Entity]!"
    return f"\nunion _Entity = {' | '.join(keyed)}\nextend type Query {{ {entities} }}\n"


@dataclass
class World:
    """One supergraph over in-process subgraphs; `log` lists the requests each one got."""

    name: str
    records: Records
    rules: Mapping[str, Rule]
    keys: Mapping[str, list[list[str]]]
    interfaces: Mapping[str, str] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    log: list[tuple[str, SubgraphRequest]] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        folder = HERE / self.name
        self.sdl = (folder / "supergraph.graphql").read_text()
        self.supergraph: Supergraph = load_supergraph(self.sdl)
        self.sources = {
            path.stem: path.read_text()
            for path in sorted(folder.glob("*.graphql"))
            if path.stem != "supergraph"
        }
        self.schemas = {n: executable(self, s, federated=True) for n, s in self.sources.items()}
        public = print_schema(self.supergraph.public_schema)
        self.monolith = executable(self, public, federated=False)

    def event(self, review: str) -> Mapping[str, Ref]:
        """An event about a review that exists."""
        return {"reviewAdded": Ref("Review", review)}

    def plan(self, text: str) -> QueryPlan:
        document = parse_document(text)
        assert validate_document(self.supergraph, document) == []
        return plan(self.supergraph, prepare(self.supergraph, document))

    async def ask(
        self,
        text: str,
        variables: dict[str, Any] | None = None,
        query_plan: QueryPlan | None = None,
    ) -> Answer:
        """Run an operation through the engine, by its own plan or by a given one."""
        document = parse_document(text)
        assert validate_document(self.supergraph, document) == []
        operation = prepare(self.supergraph, document)
        chosen = query_plan or plan(self.supergraph, operation)
        values = coerce_variables(self.supergraph, operation, variables or {})
        self.refused.clear()
        answer = await execute(self.supergraph, chosen, operation, values, self.send)
        assert query_plan or not self.refused, "a plan asked what a subgraph refuses"
        return answer

    async def watch(self, text: str) -> list[Answer]:
        """Run a subscription until its subgraph ends the stream."""
        operation = prepare(self.supergraph, parse_document(text))
        query_plan = plan(self.supergraph, operation)
        stream = subscribe(self.supergraph, query_plan, operation, {}, self.send, self.open_stream)
        return [answer async for answer in stream]

    def whole(self, text: str, variables: dict[str, Any] | None = None) -> Answer:
        """The answer of the one schema that knows everything."""
        result = execute_sync(
            self.monolith, parse(text), root_value=self._root(), variable_values=variables
        )
        return Answer(result.data, [dict(e.formatted) for e in result.errors or ()])

    def _root(self) -> Seen:
        return Seen("Query", {})

    async def send(self, subgraph: str, body: SubgraphRequest) -> SubgraphReply:
        self.log.append((subgraph, body))
        if subgraph in self.down:
            raise SubgraphUnavailable(subgraph)
        return self._run(subgraph, body, self._root())

    async def open_stream(
        self, subgraph: str, body: SubgraphRequest
    ) -> AsyncIterator[SubgraphReply]:
        self.log.append((subgraph, body))
        if subgraph in self.down:
            raise SubgraphUnavailable(subgraph)
        for event in self.events:
            yield self._run(subgraph, body, Seen("Subscription", event))

    def _run(self, subgraph: str, body: SubgraphRequest, root: Seen) -> SubgraphReply:
        schema = self.schemas[subgraph]
        document = parse(body.query)
        refusals = validate(schema, document)
        if refusals:
            self.refused.append(f"{body.query}: {refusals[0].message}")
            return SubgraphReply(None, [dict(error.formatted) for error in refusals])
        variables = json.loads(json.dumps(body.variables))
        result = execute_sync(schema, document, root_value=root, variable_values=variables)
        errors = [dict(error.formatted) for error in result.errors or ()]
        return SubgraphReply(json.loads(json.dumps(result.data)), errors)
