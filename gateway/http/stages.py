"""The stages a document goes through before it runs, paid for once per text: parse, validate and normalise, plan."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from graphql import get_operation_ast

from gateway import operation as operations
from gateway.http.answers import Rejected, error, rejected
from gateway.limits import Limits, Measure, Price, measure, price
from gateway.planner import PlanError, plan

if TYPE_CHECKING:
    from collections.abc import Hashable

    from graphql import DocumentNode, GraphQLError

    from gateway.operation import Operation
    from gateway.plan import QueryPlan
    from gateway.supergraph import Supergraph

CACHED = 1000
"""Operations, and plans, that are remembered."""

T = TypeVar("T")
Key: TypeAlias = "tuple[bytes, str | None]"


class Cache(Generic[T]):
    """The most recently used values by key."""

    def __init__(self, size: int = CACHED) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, T] = OrderedDict()

    def find(self, key: Hashable) -> T | None:
        """The value of `key`, when it is still there."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def keep(self, key: Hashable, value: T) -> T:
        """Keep the value, and forget the one that was used longest ago when there are too many."""
        self._values[key] = value
        if len(self._values) > self._size:
            self._values.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A document that could be parsed, with its measure. `key` is the hash of its text, and the operation wanted of it.

    It is dropped after its request: a parsed document takes a thousand times the memory of its text.
    """

    key: Key
    document: DocumentNode
    measure: Measure

    @property
    def kind(self) -> str | None:
        """query, mutation or subscription; None when there is no such operation."""
        node = get_operation_ast(self.document, self.key[1])
        return node.operation.value if node else None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A valid operation in its normal form, with the measure of its document and its price."""

    operation: Operation
    measure: Measure
    price: Price

    @property
    def kind(self) -> str:
        """query, mutation or subscription."""
        return self.operation.kind


class Stages:
    """The stages over one supergraph. Everything raised is Rejected, with errors the client may see."""

    def __init__(self, supergraph: Supergraph, limits: Limits) -> None:
        self.supergraph = supergraph
        self.limits = limits
        self._suggest = limits.introspection
        self._prepared: Cache[Prepared] = Cache()
        self._plans: Cache[QueryPlan] = Cache()

    def parse(self, text: str, operation_name: str | None = None) -> Parsed | Prepared:
        """Parse and measure a document, unless what is wanted of it has been prepared already."""
        key = (sha256(text.encode("utf-8", "surrogatepass")).digest(), operation_name)
        known = self._prepared.find(key)
        if known is not None:
            return known
        try:
            document = operations.parse_document(text, self.limits.tokens)
        except operations.RequestError as refusal:
            errors = self._aborted(str(refusal)) or refusal.errors
            raise rejected(errors, "GRAPHQL_PARSE_FAILED") from None
        return Parsed(key, document, measure(document))

    def prepare(self, found: Parsed | Prepared, *, anonymous: bool) -> Prepared:
        """Hold a document to the limits of this viewer; validate it and normalise the wanted operation, which is paid for once."""
        self._raise(self.limits.check(found.measure, anonymous=anonymous), "LIMIT")
        if isinstance(found, Prepared):
            return found
        return self._prepared.keep(found.key, self._prepare(found))

    def coerce(self, prepared: Prepared, variables: dict[str, Any]) -> dict[str, Any]:
        """Check the variables, and the operation's cost with them."""
        try:
            coerced = operations.coerce_variables(
                self.supergraph, prepared.operation, variables, suggest=self._suggest
            )
        except operations.RequestError as refusal:
            raise rejected(refusal.errors, "BAD_USER_INPUT") from None
        self._raise(self.limits.check_cost(prepared.price.of(coerced)), "LIMIT")
        return coerced

    def plan(self, operation: Operation) -> QueryPlan:
        """The plan of an operation."""
        known = self._plans.find(operation.digest)
        if known is not None:
            return known
        try:
            return self._plans.keep(operation.digest, plan(self.supergraph, operation))
        except PlanError as refusal:
            raise Rejected(
                [error("UNRESOLVABLE", str(refusal), remedy="Ask for other fields.")]
            ) from None

    def _aborted(self, message: str) -> list[GraphQLError]:
        """The parser's two ways to give up on a document, in the gateway's words."""
        if "tokens. Parsing aborted" in message:
            return [self.limits.too_many_tokens()]
        if "nested too deeply" in message:
            return [self.limits.too_deep_to_parse()]
        return []

    def _prepare(self, parsed: Parsed) -> Prepared:
        graph, document, name = self.supergraph, parsed.document, parsed.key[1]
        refusals = self.limits.check_introspection(graph.public_schema, document, parsed.measure)
        self._raise(refusals, "LIMIT")
        invalid = operations.validate_document(graph, document, suggest=self._suggest)
        self._raise(invalid, "GRAPHQL_VALIDATION_FAILED")
        try:
            operation = operations.prepare(graph, document, name)
        except operations.RequestError as refusal:
            raise rejected(refusal.errors, "OPERATION_RESOLUTION_FAILURE") from None
        return Prepared(operation, parsed.measure, price(graph.public_schema, document, name))

    def _raise(self, errors: list[GraphQLError], code: str) -> None:
        if errors:
            raise rejected(errors, code)
