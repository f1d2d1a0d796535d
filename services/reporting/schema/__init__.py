"""The GraphQL subgraph of reporting."""

from services.reporting.schema.reports import SCHEMA

__all__ = ["SCHEMA"]
