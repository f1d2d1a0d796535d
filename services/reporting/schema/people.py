"""Users, as identity knows them."""

from uuid import UUID

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

_STUB = [Key(fields=FieldSet("id"), resolvable=False)]


@strawberry.federation.type(keys=_STUB)
class User:
    """Somebody identity knows."""

    id: strawberry.ID

    @classmethod
    def of(cls, id_: UUID) -> "User":
        """The user with that id."""
        return cls(id=strawberry.ID(str(id_)))
