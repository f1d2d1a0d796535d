"""How a limit is told."""

from __future__ import annotations

from graphql import GraphQLError


def limit_error(code: str, message: str, *, remedy: str, **details: object) -> GraphQLError:
    """A GraphQL error in the gateway's words."""
    return GraphQLError(message, extensions={"code": code, **details, "remedy": remedy})
