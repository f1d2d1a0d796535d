"""What handlers of facts do about mail."""

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
        self, tx: Connection, heard: Heard, topic: Topic, *places: str, only: str = ""
    ) -> None:
        """Tell of the fact's own thing. `places`: the office, and the group; `only`: just this user."""
        office, group = (UUID(one) if one else None for one in (*places, "", "")[:2])
        whom = frozenset({UserId(UUID(only))}) if only else None
        news = News(topic, heard.aggregate_id, office, group, whom)
        await actions.note(tx, heard, news, self._parts.clock.now())

    async def forget(self, tx: Connection, heard: Heard, *topics: Topic) -> None:
        """What waits about the fact's own thing has been dealt with."""
        now = self._parts.clock.now()
        await actions.withdraw(tx, heard, heard.aggregate_id, topics, now)
