"""Attachments as files: taken in at /files/<referral>/attachments, handed out at /files/attachments/<id>."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kit.auth import Viewer
from kit.errors import Invalid
from kit.files import (
    KEY_HEADER,
    download,
    file_route,
    length_of,
    made,
    name_of,
    pieces_of,
)
from kit.ids import parse_id
from kit.service import Parts
from services.referrals import domain
from services.referrals.actions import attachments
from services.referrals.actions.peers import Peers
from services.referrals.domain import AttachmentId, ReferralId, Side


def routes(parts: Callable[[], Parts[Peers]]) -> Sequence[Route]:
    """The doors."""

    async def take_in(request: Request, viewer: Viewer) -> Response:
        viewer.require_may_change()
        call = parts().call(viewer)
        upload = attachments.Upload(
            ReferralId(parse_id(request.path_params["id"], "referralId")),
            name_of(request),
            domain.declared_type(request.headers.get("content-type", "")),
            length_of(request, call.peers.attachment_limits.max_bytes),
            _side(request),
            request.headers.get(KEY_HEADER, ""),
        )
        id_ = await attachments.attach(call, upload, pieces_of(request))
        return made({"id": str(id_), "url": domain.url_of(id_)})

    async def hand_out(request: Request, viewer: Viewer) -> Response:
        id_ = AttachmentId(parse_id(request.path_params["id"], "attachmentId"))
        found = await attachments.read(parts().call(viewer), id_)
        it = found.named.attachment
        return download(found.named.name, it.media_type.value, it.bytes, found.body)

    return [
        file_route("{id}/attachments", "POST", take_in, parts),
        file_route("attachments/{id}", "GET", hand_out, parts),
    ]


def _side(request: Request) -> Side | None:
    given = request.query_params.get("side")
    if given is None:
        return None
    if given not in set(Side):
        raise Invalid("side is SENDING or RECEIVING.", field="side")
    return Side(given)
