"""Rows as nouns: what turns a row into a dataclass whose fields are among its columns."""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import asyncpg

NounT = TypeVar("NounT")


def maker(noun: type[NounT]) -> Callable[[asyncpg.Record], NounT]:
    """What makes the noun out of a row."""
    return cast("Callable[[asyncpg.Record], NounT]", _make_maker(cast("Hashable", noun)))


@cache
def _make_maker(noun: Hashable) -> Callable[[asyncpg.Record], object]:
    if not (isinstance(noun, type) and is_dataclass(noun)):
        raise TypeError(f"{noun} is not a dataclass")
    hints = get_type_hints(noun)
    converters = {field.name: _converter(hints[field.name]) for field in fields(noun)}

    def make(row: asyncpg.Record) -> object:
        return noun(
            **{name: convert(row[name]) for name, convert in converters.items() if name in row}
        )

    return make


def _converter(hint: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - a type hint can be anything
    """What turns a column's value into a field's type: enums from text, arrays to tuples or frozensets, JSON to dataclasses."""
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _converter(next(arg for arg in args if arg is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin in (tuple, frozenset, list):
        inner = _converter(args[0])
        return lambda values: origin(inner(value) for value in values)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint) and isinstance(hint, type):
        return _from_json(hint)
    return lambda value: value


def _from_json(noun: type[Any]) -> Callable[[dict[str, Any]], Any]:
    hints = get_type_hints(noun)
    converters = {field.name: _converter(hints[field.name]) for field in fields(noun)}
    return lambda data: noun(
        **{name: converters[name](data[name]) for name in converters if name in data}
    )
