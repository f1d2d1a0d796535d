"""What a service hears, as it declares it and as it arrives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import orjson
from google.protobuf.message import Message

from kit.db import Connection

_MAX_SEQUENCE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Heard:
    """A fact as it arrives. `fact` is of the type its handler is registered for: `fact: UserInvited = heard.fact`."""

    event_id: UUID
    organization_id: UUID
    aggregate_id: UUID
    sequence: int
    time: datetime
    fact: Any


Handler: TypeAlias = Callable[[Connection, Any], Awaitable[None]]
"""Applies a Heard fact within the consumer's transaction; it runs once for each event."""


class Hearing(NamedTuple):
    """What a service hears of one aggregate: all its facts. Those without a handler only advance the order.

    `begin` says how to begin with an aggregate whose first facts are older than the stream: it brings what the handlers must know of
    it, asked of its owner, in the consumer's transaction; the fact that was met is applied after it. `from_here_on` where every handler
    is about its own fact alone. Without it such facts go to the dead letters, where people see them.
    """

    service: str
    aggregate: str
    handlers: Mapping[type[Message], Handler]
    begin: Begin | None = None

    @property
    def source(self) -> str:
        """Whose aggregate it is about: "directory.provider"."""
        return f"{self.service}.{self.aggregate}"

    @property
    def subject(self) -> str:
        """The NATS subjects of every organization's facts of this aggregate."""
        return f"events.*.{self.service}.{self.aggregate}.*"


class Event(NamedTuple):
    """A CloudEvent, read but not yet understood. `source` is whose aggregate it is about: "directory.provider"."""

    event_id: UUID
    organization_id: UUID
    source: str
    aggregate_id: UUID
    sequence: int
    time: datetime
    type: str
    data: dict[str, Any]
    subject: str
    body: str

    @property
    def aggregate(self) -> tuple[UUID, str, UUID]:
        """The aggregate it is about, as the tables key it."""
        return self.organization_id, self.source, self.aggregate_id


Begin: TypeAlias = Callable[[Connection, Event], Awaitable[None]]
"""Brings what the owner of an aggregate knows of it now. It may run again, if what follows it fails."""


async def from_here_on(_tx: Connection, _event: Event) -> None:
    """What was told before the service listened is of no use to it."""


class MalformedError(Exception):
    """The message is not an event of ours."""


class GapError(Exception):
    """An earlier fact of the same aggregate has not been applied yet."""


class MissedError(Exception):
    """An earlier fact of the same aggregate was never heard, and is told no more."""


def read_event(subject: str, body: bytes) -> Event:
    """The event in a message, or MalformedError with the reason."""
    try:
        raw = orjson.loads(body)
        _, service, aggregate, _, _ = str(raw["type"]).split(".")
        event = Event(
            event_id=UUID(raw["id"]),
            organization_id=UUID(raw["organizationid"]),
            source=f"{service}.{aggregate}",
            aggregate_id=UUID(raw["subject"]),
            sequence=int(raw["sequence"]),
            time=datetime.fromisoformat(raw["time"]),
            type=str(raw["type"]),
            data=dict(raw["data"]),
            subject=subject,
            body=body.decode(),
        )
        if not 0 < event.sequence <= _MAX_SEQUENCE:
            raise ValueError("the sequence is out of range")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedError(f"not an event: {type(error).__name__} {error}") from None
    return event
