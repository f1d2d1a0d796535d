"""Facts out of JSON, as protobuf's own reader has them, which looks up anew for each field what is declared once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

_LONG = {
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
}
"""Written as text."""

_PLAIN = {
    FieldDescriptor.TYPE_STRING,
    FieldDescriptor.TYPE_BOOL,
    FieldDescriptor.TYPE_INT32,
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_ENUM,
}


class _OtherwiseError(Exception):
    """A field of a type that is left to protobuf's own reader."""


def read_fact(kind: type[Message], data: dict[str, Any]) -> Message:
    """The fact that the data tells; fields that are not declared are passed over. ParseError when it does not fit."""
    try:
        return kind(**_values(kind.DESCRIPTOR, data))
    except (_OtherwiseError, TypeError, ValueError, AttributeError):
        return ParseDict(data, kind(), ignore_unknown_fields=True)


def _values(declared: Any, data: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a Descriptor, of either implementation
    fields = _fields(declared)
    found = {}
    for told, value in data.items():
        if told in fields:
            name, read = fields[told]
            found[name] = read(value) if read else value
    return found


@cache
def _fields(declared: Any) -> dict[str, tuple[str, Callable[[Any], Any] | None]]:  # noqa: ANN401 - as above
    """By either of its names: the field, and how its value is read."""
    return {
        told: (field.name, _reader(field))
        for field in declared.fields
        for told in (field.name, field.json_name)
    }


def _reader(field: FieldDescriptor) -> Callable[[Any], Any] | None:
    if field.type in _PLAIN:
        return None
    if field.is_repeated:
        raise _OtherwiseError
    if field.type in _LONG:
        return int
    inner = field.message_type
    if inner is None:
        raise _OtherwiseError
    if inner.full_name == Timestamp.DESCRIPTOR.full_name:
        return _moment
    if inner.file.package.startswith("google."):
        raise _OtherwiseError
    return partial(_values, inner)


def _moment(text: str) -> Timestamp:
    moment = Timestamp()
    moment.FromJsonString(text)
    return moment
