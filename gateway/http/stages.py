"""The stages a document goes through before it runs, each paid for once per text: parse, validate and normalise, plan."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from graphql import get_operation_ast

from gateway import operation as operations
from gateway.http.answers import Rejected, error, rejected
from gateway.limits import Limits, Measure, Price, measure, price
from gateway.planner import PlanError, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from graphql import DocumentNode, GraphQLError

    from gateway.operation import Operation
    from gateway.plan import QueryPlan
    from gateway.supergraph import Supergraph

CACHED = 1000

T = TypeVar("T")


class Cache(Generic[T]):
    """The most recently used values by key."""

    def __init__(self, size: int = CACHED) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of `key`, made when it is not there. What `make` raises is not kept."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = self._values[key] = make()
        if len(self._values) > self._size:
            self._values.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A document that could be parsed, with its measure. `key` is the hash of its text."""

    key: bytes
    document: DocumentNode
    measure: Measure

    def kind(self, operation_name: str | None) -> str | None:
        """query, mutation or subscription; None when there is no such operation."""
        node = get_operation_ast(self.document, operation_name)
        return node.operation.value if node else None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A valid operation in its normal form, with its price."""

    operation: Operation
    price: Price


class Stages:
    """The stages over one supergraph. Everything raised is Rejected, with errors the client may see."""

    def __init__(self, supergraph: Supergraph, limits: Limits) -> None:
        self.supergraph = supergraph
        self.limits = limits
        self._suggest = limits.introspection
        self._parsed: Cache[Parsed] = Cache()
        self._prepared: Cache[Prepared] = Cache()
        self._plans: Cache[QueryPlan] = Cache()

    def parse(self, text: str) -> Parsed:
        """Parse and measure a document."""
        key = sha256(text.encode("utf-8", "surrogatepass")).digest()
        return self._parsed.get(key, lambda: self._parse(key, text))

    def prepare(self, parsed: Parsed, operation_name: str | None, *, anonymous: bool) -> Prepared:
        """Hold a document to the limits of this viewer, validate it and normalise the wanted operation."""
        self._raise(self.limits.check(parsed.measure, anonymous=anonymous), "LIMIT")
        key = (parsed.key, operation_name)
        return self._prepared.get(key, lambda: self._prepare(parsed, operation_name))

    def coerce(self, prepared: Prepared, variables: dict[str, Any]) -> dict[str, Any]:
        """Check the variables, and the operation's cost with them."""
        try:
            coerced = operations.coerce_variables(self.supergraph, prepared.operation, variables)
        except operations.RequestError as refusal:
            raise rejected(refusal.errors, "BAD_USER_INPUT", suggest=self._suggest) from None
        self._raise(self.limits.check_cost(prepared.price.of(coerced)), "LIMIT")
        return coerced

    def plan(self, operation: Operation) -> QueryPlan:
        """The plan of an operation."""
        try:
            return self._plans.get(operation.digest, lambda: plan(self.supergraph, operation))
        except PlanError as refusal:
            raise Rejected(
                [error("UNRESOLVABLE", str(refusal), remedy="Ask for other fields.")]
            ) from None

    def _parse(self, key: bytes, text: str) -> Parsed:
        try:
            document = operations.parse_document(text, self.limits.tokens)
            return Parsed(key, document, measure(document))
        except operations.RequestError as refusal:
            errors = self._aborted(str(refusal)) or refusal.errors
            raise rejected(errors, "GRAPHQL_PARSE_FAILED", suggest=False) from None

    def _aborted(self, message: str) -> list[GraphQLError]:
        """The parser's two ways to give up on a document, in the gateway's words."""
        if "tokens. Parsing aborted" in message:
            return [self.limits.too_many_tokens()]
        if "nested too deeply" in message:
            return [self.limits.too_deep_to_parse()]
        return []

    def _prepare(self, parsed: Parsed, operation_name: str | None) -> Prepared:
        graph, document = self.supergraph, parsed.document
        refusals = self.limits.check_introspection(graph.public_schema, document, parsed.measure)
        self._raise(refusals, "LIMIT")
        self._raise(operations.validate_document(graph, document), "GRAPHQL_VALIDATION_FAILED")
        try:
            operation = operations.prepare(graph, document, operation_name)
        except operations.RequestError as refusal:
            raise rejected(refusal.errors, "OPERATION_RESOLUTION_FAILURE", suggest=False) from None
        return Prepared(operation, price(graph.public_schema, document, operation_name))

    def _raise(self, errors: list[GraphQLError], code: str) -> None:
        if errors:
            raise rejected(errors, code, suggest=self._suggest)
