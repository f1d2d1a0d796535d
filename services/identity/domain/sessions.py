"""Sessions and refresh tokens."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from uuid import UUID

from kit.auth import Stage
from services.identity.domain.nouns import MembershipId, OrganizationId, SessionId, UserId

ACCESS_LIFE = timedelta(minutes=5)
SESSION_LIFE = timedelta(hours=12)
"""A session ends this long after sign-in, however often it is refreshed."""

REFRESH_GRACE = timedelta(seconds=10)
"""How long the direct predecessor of a refresh token still gets the same successor: its reply may have been lost."""

SESSION_KEPT = timedelta(days=35)
"""How long a session is kept after its end: as long as the facts that name it can be told again."""

_ID_BYTES, _NUMBER_BYTES = 16, 4


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in and all that was refreshed from it. `second_factor`: it stands on two. `proved_at`: when its user last proved who
    they are to us; None when only the organization's sign-in service has said so (`single_sign_on`)."""

    id: SessionId
    user_id: UserId
    membership_id: MembershipId | None
    organization_id: OrganizationId | None
    stage: Stage
    began_at: datetime
    ends_at: datetime
    refresh_number: int
    rotated_at: datetime
    revoked_at: datetime | None = None
    second_factor: bool = False
    proved_at: datetime | None = None
    single_sign_on: bool = False

    def live(self, now: datetime) -> bool:
        """Whether it is neither revoked nor at its end."""
        return self.revoked_at is None and now < self.ends_at


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """The n-th refresh token of a session. It is derived from the two and a key, so none needs to be kept."""

    session_id: SessionId
    number: int

    def text(self, key: bytes) -> str:
        """The token as the client holds it: 256 bits that nobody without the key can make."""
        body = self._body()
        return urlsafe_b64encode(body + hmac.digest(key, body, sha256)).decode().rstrip("=")

    def _body(self) -> bytes:
        return self.session_id.bytes + self.number.to_bytes(_NUMBER_BYTES, "big")

    @classmethod
    def read(cls, text: str, key: bytes) -> "RefreshToken | None":
        """The token in `text`, or None when it is not one of ours."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            return None
        body = raw[: _ID_BYTES + _NUMBER_BYTES]
        if len(body) < _ID_BYTES + _NUMBER_BYTES:
            return None
        token = cls(
            SessionId(UUID(bytes=body[:_ID_BYTES])), int.from_bytes(body[_ID_BYTES:], "big")
        )
        same = hmac.compare_digest(token.text(key).encode(), text.encode())
        return token if same else None


class Refresh(Enum):
    """What is to be done about a refresh token."""

    ROTATE = "rotate"
    REPEAT = "repeat"
    REVOKE = "revoke"
    REFUSE = "refuse"


def judge_refresh(session: Session, number: int, now: datetime) -> Refresh:
    """ROTATE the good one, REPEAT the successor for its direct predecessor within 10 seconds, REVOKE the session when any
    older one comes back (it was copied), REFUSE when the session is over."""
    if not session.live(now) or session.stage is not Stage.FULL:
        return Refresh.REFUSE
    if number == session.refresh_number:
        return Refresh.ROTATE
    direct = number == session.refresh_number - 1
    if direct and now < session.rotated_at + REFRESH_GRACE:
        return Refresh.REPEAT
    return Refresh.REVOKE
