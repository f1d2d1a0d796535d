"""What a document may ask for at most. Every refusal names the limit, what was found and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import MaxIntrospectionDepthRule, validate

from gateway.limits.budget import Budget
from gateway.limits.cost import Price, price
from gateway.limits.errors import limit_error
from gateway.limits.measure import Measure, measure
from gateway.operation import MAX_FIELDS

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLError, GraphQLSchema

__all__ = ["Budget", "Limits", "Measure", "Price", "limit_error", "measure", "price"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit that is the same for everybody. `name` is its name in Limits and in Measure."""

    code: str
    name: str
    what: str
    remedy: str


RULES = (
    Rule("ALIAS_LIMIT", "aliases", "aliases", "Use fewer aliases, or several requests."),
    Rule(
        "ROOT_FIELD_LIMIT",
        "root_fields",
        "root fields",
        "Split the operation into several requests.",
    ),
    Rule(
        "FIELD_LIMIT",
        "fields",
        "fields, its fragments spread out",
        "Ask for less, or split the operation into several requests.",
    ),
    Rule("DIRECTIVE_LIMIT", "directives", "directives", "Use fewer directives."),
    Rule(
        "INTROSPECTION_DEPTH_LIMIT",
        "introspection_depth",
        "levels of introspection",
        "Use the standard introspection query.",
    ),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one gateway. `introspection` is for development; the standard query of it is 15 levels deep."""

    depth: int = 10
    anonymous_depth: int = 4
    aliases: int = 15
    root_fields: int = 10
    directives: int = 20
    tokens: int = 1000
    fields: int = MAX_FIELDS
    cost: int = 5000
    introspection_depth: int = 20
    introspection: bool = False

    def check(self, found: Measure, *, anonymous: bool) -> list[GraphQLError]:
        """Every limit the document breaks, for a viewer who is signed in or not.

        Somebody who signs in may read the answer of that one mutation as deep as anybody.
        """
        shallow = anonymous and not found.root_mutations
        depth = self.anonymous_depth if shallow else self.depth
        problems = [
            _over(
                "DEPTH_LIMIT",
                "levels of fields",
                depth,
                found.depth,
                _depth_remedy(anonymous=shallow),
            ),
            *(
                _over(
                    rule.code,
                    rule.what,
                    getattr(self, rule.name),
                    getattr(found, rule.name),
                    rule.remedy,
                )
                for rule in RULES
            ),
        ]
        if anonymous:
            what = "mutations in a request without sign-in"
            remedy = "Send one mutation in each request."
            problems.append(_over("ROOT_FIELD_LIMIT", what, 1, found.root_mutations, remedy))
        return [problem for problem in problems if problem is not None]

    def check_introspection(
        self, schema: GraphQLSchema, document: DocumentNode, found: Measure
    ) -> list[GraphQLError]:
        """Refuse introspection outside development, and the kind that circles through types for ever."""
        if not found.introspects:
            return []
        if not self.introspection:
            return [
                limit_error(
                    "INTROSPECTION_DISABLED",
                    "The schema cannot be asked for here.",
                    remedy="Use the published schema, or a gateway in development mode.",
                )
            ]
        if validate(schema, document, [MaxIntrospectionDepthRule]):
            return [
                limit_error(
                    "INTROSPECTION_DEPTH_LIMIT",
                    "This introspection goes from types to fields to types more often than tools need.",
                    remedy="Use the standard introspection query.",
                )
            ]
        return []

    def check_cost(self, found: int) -> list[GraphQLError]:
        """Refuse an operation that may bring back more things than the limit."""
        problem = _over(
            "COST_LIMIT",
            "things it may bring back",
            self.cost,
            found,
            "Ask for smaller pages (first or last), or nest fewer lists.",
        )
        return [problem] if problem else []

    def too_many_tokens(self) -> GraphQLError:
        """The refusal of a document that is too long to be parsed."""
        return limit_error(
            "TOKEN_LIMIT",
            f"The document has more than {self.tokens} tokens.",
            remedy="Send a shorter document, or split it into several requests.",
            limit=self.tokens,
        )

    def too_deep_to_parse(self) -> GraphQLError:
        """The refusal of a document nested so deeply that it cannot be parsed."""
        return limit_error(
            "DEPTH_LIMIT",
            f"The document is nested deeper than the limit of {self.depth}.",
            remedy=_depth_remedy(anonymous=False),
            limit=self.depth,
        )


def _over(code: str, what: str, limit: int, found: int, remedy: str) -> GraphQLError | None:
    if found <= limit:
        return None
    message = f"The operation has {found} {what}; the limit is {limit}."
    return limit_error(code, message, remedy=remedy, limit=limit, found=found)


def _depth_remedy(*, anonymous: bool) -> str:
    if anonymous:
        return "Sign in to ask deeper, or split the operation into several requests."
    return "Nest fewer fields, or split the operation into several requests."
