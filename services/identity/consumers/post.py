"""What handlers of facts do about mail."""

from collections.abc import Iterable
from uuid import UUID

from kit.db import Connection
from kit.inbox import Heard
from kit.service import Parts
from services.identity import actions
from services.identity.actions import Means
from services.identity.domain import UserId
from services.identity.domain.notices import News, Topic


class Post:
    """Tells people by mail what was heard, or that it need not be told any more."""

    def __init__(self, parts: Parts[Means]) -> None:
        self._parts = parts

    async def tell(
        self, tx: Connection, heard: Heard, topic: Topic, *places: str, only: Iterable[str] = ()
    ) -> None:
        """Tell of the fact's own thing. `places`: the office, and the group; `only`: just these users, unless there are none."""
        office, group = (UUID(one) if one else None for one in (*places, "", "")[:2])
        whom = frozenset(UserId(UUID(one)) for one in only if one) or None
        news = News(topic, heard.aggregate_id, office, group, whom)
        await actions.note(tx, heard, news, self._parts.clock.now())

    async def tell_provider(
        self, tx: Connection, heard: Heard, topic: Topic, provider: str
    ) -> None:
        """Tell the user who is the provider, if there is one and they are told of it no other way."""
        if provider:
            news = News(topic, heard.aggregate_id, provider_id=UUID(provider))
            await actions.note(tx, heard, news, self._parts.clock.now())

    async def forget(self, tx: Connection, heard: Heard, *topics: Topic, by: str = "") -> None:
        """What waits about the fact's own thing has been dealt with: for everybody, or `by` one user."""
        whose = UserId(UUID(by)) if by else None
        await actions.withdraw(tx, heard, topics, self._parts.clock.now(), user_id=whose)

    async def forget_provider(self, tx: Connection, heard: Heard, provider: str) -> None:
        """It is no longer for the user who is that provider."""
        if provider:
            now = self._parts.clock.now()
            await actions.withdraw_from_provider(tx, heard, UUID(provider), now)
