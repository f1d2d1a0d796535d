"""What client admins are told by mail of removals of providers that were asked for beforehand (R15)."""

from collections.abc import Mapping

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard, Hearing
from kit.service import Parts
from proto.directory.v1.events_pb2 import (
    ProviderOffboardingStopped,
    ProviderRemovalCalledOff,
    ProviderRemovalHeldUp,
    ProviderRemoved,
)
from services.identity.actions import Means
from services.identity.consumers.post import Post
from services.identity.domain.notices import Topic


class _Removals(Post):
    def __init__(self, parts: Parts[Means], removed: Handler) -> None:
        super().__init__(parts)
        self._removed = removed

    async def removed(self, tx: Connection, heard: Heard) -> None:
        """Whoever removes somebody knows it; what came about by itself is told."""
        fact: ProviderRemoved = heard.fact
        await self._removed(tx, heard)
        await self.otherwise(tx, heard)
        if fact.asked_by:
            await self.tell(tx, heard, Topic.REMOVED_AS_ASKED)

    async def held_up(self, tx: Connection, heard: Heard) -> None:
        """Something is in the way that nobody works off, or that came in the last moment."""
        await self.otherwise(tx, heard)
        await self.tell(tx, heard, Topic.REMOVAL_HELD_UP)

    async def otherwise(self, tx: Connection, heard: Heard) -> None:
        """Nothing holds it up any more."""
        await self.forget(tx, heard, Topic.REMOVAL_HELD_UP)


def news_of_removals(
    parts: Parts[Means], removed: Handler, others: Mapping[type[Message], Handler]
) -> Hearing:
    """The handlers of facts about providers: what else is done when one is `removed`, and of `others`."""
    news = _Removals(parts, removed)
    return Hearing(
        "directory",
        "provider",
        {
            **others,
            ProviderRemoved: news.removed,
            ProviderRemovalHeldUp: news.held_up,
            ProviderRemovalCalledOff: news.otherwise,
            ProviderOffboardingStopped: news.otherwise,
        },
    )
