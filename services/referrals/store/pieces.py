"""SQL of the sealed pieces of files: each lies in its row, or in an object that its row names; and of objects no row names any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import Attachment, AttachmentId, OrganizationId, Sealed


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a file, closed; `last` when no more follow. They are in `box`, or in the object."""

    attachment_id: AttachmentId
    number: int
    last: bool
    organization_id: OrganizationId
    key_number: int
    box: bytes | None
    object: UUID | None

    def closed(self, box: bytes) -> Sealed:
        """The bytes, closed, wherever they were."""
        return Sealed(self.organization_id, self.key_number, box)


@dataclass(frozen=True, slots=True)
class LooseObject:
    """An object that no row names; `gone` when the store has already forgotten it once."""

    id: UUID
    gone: bool


async def add(
    tx: Connection, attachment: Attachment, number: int, sealed: Sealed, into: UUID | None
) -> None:
    """The next bytes of a file that is arriving; of bytes that are to lie in an object, its name."""
    await db.run(
        tx,
        "INSERT INTO attachment_pieces (attachment_id, number, referral_id, organization_id, key_number, box, object)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        attachment.id,
        number,
        attachment.referral_id,
        sealed.organization_id,
        sealed.key_number,
        None if into else sealed.box,
        into,
    )


_PIECES = (
    "SELECT p.*, a.kept_at IS NOT NULL AND p.number = a.pieces - 1 AS last"
    " FROM attachment_pieces p JOIN attachments a ON a.id = p.attachment_id"
)


# any-organization: asked only for files whose referral's policy answered FULL, and by the job that renews keys
async def piece(tx: Connection, attachment_id: AttachmentId, number: int) -> Piece | None:
    """One piece of a file."""
    return await db.maybe(
        tx, Piece, f"{_PIECES} WHERE p.attachment_id = $1 AND p.number = $2", attachment_id, number
    )


# New keys -------------------------------------------------------------------------------------------------------------


async def lock_before(
    tx: Connection, organization_id: OrganizationId, number: int, limit: int
) -> list[Piece]:
    """Pieces of kept files that lie in their rows and are sealed with an older key of the organization than that, locked."""
    return await db.many(
        tx,
        Piece,
        f"{_PIECES} WHERE p.organization_id = $1 AND p.key_number < $2 AND p.object IS NULL AND a.kept_at IS NOT NULL"
        " ORDER BY p.attachment_id, p.number LIMIT $3 FOR UPDATE OF p",
        organization_id,
        number,
        limit,
    )


async def before(
    tx: Connection, organization_id: OrganizationId, number: int, limit: int
) -> list[tuple[AttachmentId, int]]:
    """Which pieces of kept files are sealed with an older key of the organization than that, wherever they lie."""
    rows = await tx.fetch(
        "SELECT p.attachment_id, p.number FROM attachment_pieces p JOIN attachments a ON a.id = p.attachment_id"
        " WHERE p.organization_id = $1 AND p.key_number < $2 AND a.kept_at IS NOT NULL ORDER BY 1, 2 LIMIT $3",
        organization_id,
        number,
        limit,
    )
    return [(AttachmentId(row["attachment_id"]), row["number"]) for row in rows]


async def arriving_before(tx: Connection, organization_id: OrganizationId, number: int) -> bool:
    """Whether anything is left that is sealed with an older key of the organization than that: what is still arriving."""
    found: bool = await db.value(
        tx,
        "SELECT EXISTS (SELECT FROM attachment_pieces WHERE organization_id = $1 AND key_number < $2)",
        organization_id,
        number,
    )
    return found


async def reseal(tx: Connection, piece: Piece, sealed: Sealed) -> None:
    """The same bytes in a new box, in the row; if they lay in an object, that comes loose. Nothing, when they have moved meanwhile."""
    await db.run(
        tx,
        "UPDATE attachment_pieces SET key_number = $3, box = $4, object = NULL, next_object = NULL"
        " WHERE attachment_id = $1 AND number = $2 AND key_number = $5 AND object IS NOT DISTINCT FROM $6",
        piece.attachment_id,
        piece.number,
        sealed.key_number,
        sealed.box,
        piece.key_number,
        piece.object,
    )


async def intend(tx: Connection, piece: Piece, into: UUID) -> bool:
    """The piece is to move into another object, which may from now on be in the store. False when it has moved or gone meanwhile."""
    changed = await db.run(
        tx,
        "UPDATE attachment_pieces SET next_object = $3 WHERE attachment_id = $1 AND number = $2"
        " AND key_number = $4 AND object IS NOT DISTINCT FROM $5",
        piece.attachment_id,
        piece.number,
        into,
        piece.key_number,
        piece.object,
    )
    return changed == 1


async def settle(tx: Connection, piece: Piece, into: UUID, key_number: int) -> None:
    """It has moved there; where it lay comes loose. Nothing, when it has moved or gone meanwhile."""
    await db.run(
        tx,
        "UPDATE attachment_pieces SET object = next_object, next_object = NULL, box = NULL, key_number = $4"
        " WHERE attachment_id = $1 AND number = $2 AND next_object = $3 AND key_number = $5 AND object IS NOT DISTINCT FROM $6",
        piece.attachment_id,
        piece.number,
        into,
        key_number,
        piece.key_number,
        piece.object,
    )


# Objects --------------------------------------------------------------------------------------------------------------


# any-organization: names that say nothing, of whatever came loose
async def due(tx: Connection, now: datetime, limit: int) -> list[LooseObject]:
    """Loose objects that are to be deleted now."""
    return await db.many(
        tx,
        LooseObject,
        "SELECT id, gone FROM loose_objects WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2",
        now,
        limit,
    )


async def postpone(tx: Connection, loose: LooseObject, until: datetime, *, gone: bool) -> None:
    """A loose object is to be deleted then; `gone` when it has just been, for the first time."""
    await db.run(
        tx,
        "UPDATE loose_objects SET due_at = $2, gone = gone OR $3 WHERE id = $1",
        loose.id,
        until,
        gone,
    )


async def forget(tx: Connection, loose: LooseObject) -> None:
    """A loose object is gone for good."""
    await db.run(tx, "DELETE FROM loose_objects WHERE id = $1", loose.id)


# any-organization: names that say nothing, of all files
async def unknown(tx: Connection, ids: Sequence[UUID]) -> list[UUID]:
    """Which of these are neither named by a piece nor loose."""
    rows = await tx.fetch(
        "SELECT g.id FROM unnest($1::uuid[]) AS g (id) WHERE NOT EXISTS (SELECT FROM attachment_pieces p WHERE p.object = g.id)"
        " AND NOT EXISTS (SELECT FROM attachment_pieces p WHERE p.next_object = g.id)"
        " AND NOT EXISTS (SELECT FROM loose_objects l WHERE l.id = g.id)",
        ids,
    )
    return [row["id"] for row in rows]


# any-organization: whether the suite has any object at all
async def any_object(tx: Connection) -> bool:
    """Whether there is an object in a store that a row knows."""
    found: bool = await db.value(
        tx,
        "SELECT EXISTS (SELECT FROM attachment_pieces WHERE object IS NOT NULL) OR EXISTS (SELECT FROM loose_objects)",
    )
    return found
