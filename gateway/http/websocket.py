"""GraphQL over WebSocket at /graphql: the graphql-transport-ws protocol, and no other."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
from starlette.websockets import WebSocketDisconnect, WebSocketState

from gateway.http.answers import Body, Rejected, error
from gateway.http.edge import Ask, Edge, failed
from gateway.http.guard import same_place
from gateway.http.params import from_map
from kit.logs import client_address, request_id

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.websockets import WebSocket

    from kit.errors import Refusal

PROTOCOL = "graphql-transport-ws"
INIT_TIMEOUT = 3.0
"""Seconds in which the first message must come."""

MOST_SUBSCRIPTIONS = 20
"""Operations that may run at once on one socket."""

BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
NOT_ACCEPTABLE = 4406
INIT_TIMED_OUT = 4408
ALREADY_EXISTS = 4409
TOO_MANY_INITS = 4429
INTERNAL = 4500
GOING_AWAY = 1001


class Close(Exception):  # noqa: N818 - the end of a conversation, not an error
    """The socket must be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocketDoor:
    """The WebSocket door."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def serve(self, socket: WebSocket) -> None:
        """Hold one conversation from its handshake to its end."""
        origin = socket.headers.get("origin")
        allowed = self._edge.settings.allowed_origins
        if origin is not None and not same_place(origin, socket.headers.get("host"), allowed):
            await socket.close(FORBIDDEN)
            return
        offered = socket.scope.get("subprotocols", [])
        if PROTOCOL not in offered:
            await socket.accept()
            await socket.close(NOT_ACCEPTABLE, f"only {PROTOCOL} is spoken here")
            return
        await socket.accept(subprotocol=PROTOCOL)
        with self._edge.counted():
            await _Conversation(self._edge, socket).run()


class _Conversation:
    def __init__(self, edge: Edge, socket: WebSocket) -> None:
        self._edge = edge
        self._socket = socket
        self._authorization: str | None = None
        self._initialised = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[Close] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Listen until either side ends it; whatever still runs then is stopped."""
        listening = asyncio.create_task(self._listen())
        loop = asyncio.get_running_loop()
        timer = loop.call_later(INIT_TIMEOUT, self._time_out)
        try:
            await asyncio.wait({listening, self._ended}, return_when=asyncio.FIRST_COMPLETED)
            await self._close(self._ended.result() if self._ended.done() else listening.result())
        except WebSocketDisconnect:
            return
        except Exception as fault:  # noqa: BLE001 - the last resort, told without its details
            failed(fault)
            await self._close(Close(INTERNAL, "internal error"))
        finally:
            timer.cancel()
            await self._stop(listening)

    def _time_out(self) -> None:
        if not self._initialised and not self._ended.done():
            self._ended.set_result(Close(INIT_TIMED_OUT, "Connection initialisation timeout"))

    async def _listen(self) -> Close:
        """Hear messages until one is out of order, and answer how that ends the conversation."""
        try:
            while True:
                await self._hear(_read(await self._text()))
        except Close as end:
            return end

    async def _text(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", GOING_AWAY))
        text: str | None = message.get("text")
        if text is None:
            raise Close(BAD_REQUEST, "Messages are text")
        return text

    async def _hear(self, message: Body) -> None:
        kind = message.get("type")
        if kind == "connection_init":
            await self._init(message)
        elif kind == "ping":
            payload = message.get("payload")
            await self._say({"type": "pong"} | ({"payload": payload} if payload else {}))
        elif kind == "subscribe":
            await self._subscribe(message)
        elif kind == "complete":
            if task := self._running.pop(_id(message), None):
                task.cancel()
        elif kind != "pong":
            raise Close(BAD_REQUEST, "Unknown message type")

    async def _init(self, message: Body) -> None:
        if self._initialised:
            raise Close(TOO_MANY_INITS, "Too many initialisation requests")
        self._initialised = True
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise Close(BAD_REQUEST, "The payload must be an object")
        given = payload.get("authorization", payload.get("Authorization"))
        self._authorization = (
            given if isinstance(given, str) else self._socket.headers.get("authorization")
        )
        try:
            session = await self._edge.session(self._authorization, fresh=True)
        except Rejected as refusal:
            raise Close(FORBIDDEN, _short(refusal.errors[0]["message"])) from None
        self._watch = asyncio.create_task(self._end_with(self._edge.over(session)))
        await self._say({"type": "connection_ack"})

    async def _end_with(self, over: Coroutine[Any, Any, Refusal]) -> None:
        """When the session ends, every operation is told so, and then the socket is closed."""
        refusal = await over
        told, running = failed(refusal).errors, dict(self._running)
        self._running.clear()
        for task in running.values():
            task.cancel()
        for name in running:
            await self._say({"id": name, "type": "error", "payload": told})
        code = GOING_AWAY if self._edge.stopping.is_set() else FORBIDDEN
        if not self._ended.done():
            self._ended.set_result(Close(code, _short(refusal.message)))

    async def _subscribe(self, message: Body) -> None:
        if self._watch is None:
            raise Close(UNAUTHORIZED, "Unauthorized")
        name, payload = _id(message), message.get("payload")
        if not isinstance(payload, dict):
            raise Close(BAD_REQUEST, "The payload must be an object")
        if name in self._running:
            raise Close(ALREADY_EXISTS, f"Subscriber for {_short(name)} already exists")
        if len(self._running) >= MOST_SUBSCRIPTIONS:
            await self._say({"id": name, "type": "error", "payload": [_too_many()]})
            return
        self._running[name] = asyncio.create_task(self._operate(name, payload))

    async def _operate(self, name: str, payload: dict[str, Any]) -> None:
        request_id.set(uuid4().hex)
        client_address.set(self._socket.client.host if self._socket.client else "")
        try:
            await self._execute(name, payload)
        except WebSocketDisconnect:
            return
        except Exception as fault:  # noqa: BLE001 - the last resort: everything is told, faults masked
            await self._end(name, {"type": "error", "payload": failed(fault).errors})
        else:
            await self._end(name, {"type": "complete"})

    async def _execute(self, name: str, payload: dict[str, Any]) -> None:
        ask = Ask(from_map(payload), self._authorization, request_id.get(), watched=True)
        admitted = await self._edge.admit(ask)
        if not admitted.live:
            body = await self._edge.answer(admitted, ask)
            await self._say({"id": name, "type": "next", "payload": body})
            return
        async with aclosing(self._edge.follow(admitted, ask)) as bodies:
            async for body in bodies:
                await self._say({"id": name, "type": "next", "payload": body})

    async def _end(self, name: str, message: Body) -> None:
        if self._running.get(name) is asyncio.current_task():
            del self._running[name]
            await self._say({"id": name} | message)

    async def _say(self, message: Body) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_text(orjson.dumps(message).decode())

    async def _close(self, end: Close) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.close(end.code, end.reason)

    async def _stop(self, listening: asyncio.Task[Close]) -> None:
        tasks: list[asyncio.Task[Any]] = [
            listening,
            *self._running.values(),
            *([self._watch] if self._watch else []),
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _too_many() -> Body:
    return error(
        "SUBSCRIPTION_LIMIT",
        f"One socket carries at most {MOST_SUBSCRIPTIONS} operations at once.",
        remedy="Complete one, or open another socket.",
        limit=MOST_SUBSCRIPTIONS,
    )


def _read(text: str) -> Body:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Close(BAD_REQUEST, "The message is not JSON") from None
    if not isinstance(message, dict):
        raise Close(BAD_REQUEST, "The message is not an object")
    return message


def _id(message: Body) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not name:
        raise Close(BAD_REQUEST, "The message needs an id")
    return name


def _short(text: str) -> str:
    """A close reason is at most 123 bytes long."""
    return text.encode()[:120].decode("utf-8", "ignore")
