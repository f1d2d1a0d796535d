"""Reports as files: a group's week at /files/weeks/<group>/<day>/<format>, a month at /files/months/<day>/<format>."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kit.auth import Viewer
from kit.errors import Invalid, NotFound, Refusal
from kit.files import download, file_route
from kit.ids import parse_id
from kit.service import Parts
from services.reporting import actions
from services.reporting.actions import performance
from services.reporting.actions.peers import Peers
from services.reporting.domain import MEDIA_TYPES, ExportFormat, GroupId

PIECE = 64 * 1024
"""Bytes that go at once: whoever takes the file sees how far it is, for its length is told before."""


def routes(parts: Callable[[], Parts[Peers]]) -> Sequence[Route]:
    """The doors. A file is made for who asks, by what they may read then: a link to it is worth nothing to anybody else."""

    async def week(request: Request, viewer: Viewer) -> Response:
        call, (day, form) = parts().call(viewer), _day_and_format(request)
        group_id = GroupId(parse_id(request.path_params["group"], "groupId"))
        (report,) = await actions.reports(call, [group_id], day)
        if report is None:
            raise NotFound("There is no such group.", field="groupId")
        if isinstance(report, Refusal):
            raise report
        with_ids = request.query_params.get("ids") == "1"
        return _file(form, await actions.export(call, report, form, with_ids=with_ids))

    async def month(request: Request, viewer: Viewer) -> Response:
        day, form = _day_and_format(request)
        return _file(form, await performance.month_file(parts().call(viewer), day, form))

    return [
        file_route("weeks/{group}/{day}/{form}", "GET", week, parts),
        file_route("months/{day}/{form}", "GET", month, parts),
    ]


def _day_and_format(request: Request) -> tuple[date, ExportFormat]:
    day, form = request.path_params["day"], request.path_params["form"]
    if form.upper() not in set(ExportFormat):
        raise Invalid("A report is had as csv, json, xlsx or pdf.", code="NO_SUCH_FORMAT")
    try:
        return date.fromisoformat(day), ExportFormat(form.upper())
    except ValueError:
        raise Invalid("A day is written as 2026-03-02.", code="NO_SUCH_DAY") from None


def _file(form: ExportFormat, file: tuple[str, str | bytes]) -> Response:
    name, content = file
    body = content.encode() if isinstance(content, str) else content
    return download(name, MEDIA_TYPES[form], len(body), _pieces(body))


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]
