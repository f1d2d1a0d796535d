"""Who is asking: access tokens become viewers through identity, and stop being so at once when they are revoked."""

from gateway.auth.identity import Identity, Session, bearer
from gateway.auth.live import until_over
from gateway.auth.revocations import Revocations
from gateway.auth.sessions import Sessions

__all__ = ["Identity", "Revocations", "Session", "Sessions", "bearer", "until_over"]
