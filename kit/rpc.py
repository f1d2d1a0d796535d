"""gRPC between services: a door that knows its viewer, and peers that are asked with one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

import grpc
import grpc.aio
import orjson

from kit.auth import VIEWER_HEADER, Viewer, service_viewer, sign_viewer, verify_viewer
from kit.clock import Clock
from kit.errors import FAULT_MESSAGE, REFUSALS, Denied, Refusal, Unavailable
from kit.logs import request_id

log = logging.getLogger(__name__)

DEADLINE = 2.0
"""Seconds a question may take, reconnecting included."""

REFUSAL_TRAILER = "x-refusal-bin"
REQUEST_ID = "x-request-id"
_METADATA = (
    ("grpc.max_metadata_size", 512 * 1024),
    ("grpc.absolute_max_metadata_size", 1024 * 1024),
)
"""A refusal travels as metadata, with every id that it is about."""

_RECONNECT = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
_STATUS = {kind.grpc_status: kind for kind in REFUSALS}

RequestT = TypeVar("RequestT")
ReplyT = TypeVar("ReplyT")
MethodT = TypeVar("MethodT", bound=Callable[..., Awaitable[Any]])
AddServicer = Callable[[grpc.aio.Server], None]

Callers = Mapping[str, frozenset[str]]
"""For each RPC of a service the parts of the suite that have business with it; an RPC that is not named is nobody's."""

_viewer: ContextVar[Viewer] = ContextVar("viewer")


def whatever_the_time(method: MethodT) -> MethodT:
    """Mark an RPC method that is also answered to a viewer signed at the wrong time: whoever asks may not know it yet."""
    method.whatever_the_time = True  # type: ignore[attr-defined]
    return method


def current_viewer() -> Viewer:
    """On whose behalf the RPC being served was asked."""
    return _viewer.get()


# The door -------------------------------------------------------------------------------------------------------------


class Door(grpc.aio.ServerInterceptor):
    """Lets in only calls with a viewer signed for this service; tells refusals as status codes and masks faults."""

    def __init__(self, service: str, key: bytes, clock: Clock, callers: Callers | None) -> None:
        self._service, self._key, self._clock, self._callers = service, key, clock, callers

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:  # noqa: ANN401 - grpc's handler type is private
        """Wrap the handler of a call."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        inner = handler.unary_unary
        if inner is None:
            raise TypeError("this door serves no streams")

        async def guarded(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401
            return await self._serve(inner, request, context, name)

        name = handler_call_details.method.rpartition("/")[2]
        return grpc.unary_unary_rpc_method_handler(
            guarded,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    async def _serve(
        self,
        inner: Callable[[Any, Any], Awaitable[ReplyT]],
        request: object,
        context: grpc.aio.ServicerContext[Any, Any],
        name: str,
    ) -> ReplyT:
        metadata = {name: value for name, value in context.invocation_metadata() or ()}
        request_id.set(str(metadata.get(REQUEST_ID) or uuid4().hex))
        try:
            signed = str(metadata.get(VIEWER_HEADER, ""))
            at = None if getattr(inner, "whatever_the_time", False) else self._clock.real()
            viewer = verify_viewer(signed, audience=self._service, key=self._key, at=at)
            self._require_business(viewer, name)
            _viewer.set(viewer)
            return await inner(request, context)
        except Refusal as refusal:
            status = getattr(grpc.StatusCode, refusal.grpc_status)
            await context.abort(status, refusal.message, ((REFUSAL_TRAILER, _pack(refusal)),))
        except grpc.aio.AbortError:
            raise
        except Exception:
            reference = uuid4().hex[:12]
            log.exception("fault in an RPC", extra={"reference": reference})
            await context.abort(grpc.StatusCode.INTERNAL, f"{FAULT_MESSAGE} ({reference})")
        raise AssertionError("abort always raises")

    def _require_business(self, viewer: Viewer, name: str) -> None:
        """Whoever carries the question, in its own name or for a user, is one of those who ask it."""
        if self._callers is not None and viewer.service not in self._callers.get(name, ()):
            raise Denied("This is asked by other parts of the suite.")


def _pack(refusal: Refusal) -> bytes:
    return orjson.dumps(
        {
            "code": refusal.code,
            "field": refusal.field,
            "remedy": refusal.remedy,
            "details": refusal.details,
        },
        default=str,
    )


async def open_door(
    service: str,
    address: str,
    servicers: Sequence[AddServicer],
    *,
    key: bytes,
    clock: Clock,
    callers: Callers | None = None,
) -> tuple[grpc.aio.Server, int]:
    """Serve RPCs at `address`; answers the server and the port it listens on. Without `callers` every part of the suite may ask."""
    server = grpc.aio.server(
        interceptors=[Door(service, key, clock, callers)],
        options=(("grpc.so_reuseport", 0), *_METADATA),
    )
    for add in servicers:
        add(server)
    bound = server.add_insecure_port(address)
    await server.start()
    return server, bound


# Peers ----------------------------------------------------------------------------------------------------------------


class Peer:
    """A sibling service: `channel` is for its stub, `ask` calls one of the stub's methods. `patience` is how long it may take to
    answer where a question does not say."""

    def __init__(self, name: str, address: str, *, me: str, key: bytes, clock: Clock) -> None:
        self.name = name
        self.channel = grpc.aio.insecure_channel(address, options=(*_RECONNECT, *_METADATA))
        self.patience = DEADLINE
        self._me, self._key, self._clock = service_viewer(me), key, clock

    async def ask(
        self,
        method: Callable[..., Awaitable[ReplyT]],
        request: object,
        *,
        viewer: Viewer | None = None,
        deadline: float | None = None,
    ) -> ReplyT:
        """Ask on behalf of `viewer`, or of this service itself; the peer learns who carries the question either way. A refusal
        comes back as it was raised over there; a peer that is away or too slow is Unavailable."""
        carried = replace(viewer or self._me, service=self._me.service)
        signed = sign_viewer(carried, audience=self.name, key=self._key, at=self._clock.real())
        metadata = ((VIEWER_HEADER, signed), (REQUEST_ID, request_id.get()))
        try:
            return await method(
                request,
                timeout=deadline or self.patience,
                metadata=metadata,
                wait_for_ready=True,
            )
        except grpc.aio.AioRpcError as error:
            raise self._told(error) from None

    async def close(self) -> None:
        """Hang up."""
        await self.channel.close()

    def _told(self, error: grpc.aio.AioRpcError) -> Exception:
        packed = dict(error.trailing_metadata() or ()).get(REFUSAL_TRAILER)
        kind = _STATUS.get(error.code().name)
        if packed is not None and kind is not None:
            said = orjson.loads(packed)
            return kind(
                error.details() or "",
                code=said["code"],
                field=said["field"],
                remedy=said["remedy"],
                **said["details"],
            )
        if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
            return Unavailable(
                f"The {self.name} service does not answer.", remedy="Try again in a moment."
            )
        return RuntimeError(f"{self.name} answered {error.code().name}: {error.details()}")
