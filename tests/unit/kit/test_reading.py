"""Facts are read out of JSON as protobuf's own reader has them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from cli.servers.nats_config import SERVICES
from kit.inbox.reading import read_fact
from proto.referrals.v1.events_pb2 import ReferralSent

SAMPLES = 20


def kinds() -> Iterator[type[Message]]:
    """Every declared fact, and what facts are made of."""
    for service in SERVICES:
        declared = import_module(f"proto.{service}.v1.events_pb2").DESCRIPTOR
        for kind in declared.message_types_by_name.values():
            yield message_factory.GetMessageClass(kind)


def _filled(message: Message, dice: random.Random) -> Message:
    for field in message.DESCRIPTOR.fields:
        times = 0 if dice.random() < 0.2 else dice.randint(1, 3) if field.is_repeated else 1
        for _ in range(times):
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                inner = getattr(message, field.name)
                _fill_inner(inner.add() if field.is_repeated else inner, dice)
            elif field.is_repeated:
                getattr(message, field.name).append(_value(field, dice))
            else:
                setattr(message, field.name, _value(field, dice))
    return message


def _fill_inner(inner: Message, dice: random.Random) -> None:
    if isinstance(inner, Timestamp):
        inner.FromMicroseconds(dice.randint(0, 2 * 10**15))
    else:
        _filled(inner, dice)


def _value(field: FieldDescriptor, dice: random.Random) -> Any:  # noqa: ANN401 - of the field's type
    if field.type == FieldDescriptor.TYPE_STRING:
        return str(dice.random())
    if field.type == FieldDescriptor.TYPE_BOOL:
        return dice.random() < 0.5
    return dice.randint(0, 1 if field.type == FieldDescriptor.TYPE_ENUM else 9)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.DESCRIPTOR.full_name)
def test_every_declared_fact_is_read_as_it_was_told(kind: type[Message]) -> None:
    for seed in range(SAMPLES):
        told = _filled(kind(), random.Random(seed))  # noqa: S311 - samples
        data = MessageToDict(told)
        assert read_fact(kind, data) == told
        assert read_fact(kind, {**data, "ofALaterRelease": {"a": [1]}}) == told


@pytest.mark.parametrize(
    "referral",
    [{"version": "3"}, {"version": 3.0}, {"urgency": None}, {"sending_office_id": "x"}, None],
)
def test_what_protobuf_takes_is_taken(referral: object) -> None:
    data = {"referral": referral}
    assert read_fact(ReferralSent, data) == ParseDict(data, ReferralSent())


@pytest.mark.parametrize(
    "data",
    [
        {"referral": 3},
        {"referral": {"version": "three"}},
        {"referral": {"status": 3}},
        {"referral": {"occurredAt": "yesterday"}},
        {"referral": {"externallyManaged": "yes"}},
    ],
)
def test_what_does_not_fit_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        read_fact(ReferralSent, data)
