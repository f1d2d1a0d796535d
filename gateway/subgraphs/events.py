"""Server-sent events as subgraphs send them, read from pieces of bytes that end anywhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream: its name ("message" when it has none) and its data."""

    name: str
    data: str


class EventReader:
    """Turns bytes into events. Bytes of an unfinished line or event wait for the next piece."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[str] = []

    @property
    def waiting(self) -> int:
        """Bytes held back for the end of their event."""
        return len(self._rest) + sum(map(len, self._data))

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that `piece` completes."""
        self._rest += piece
        held = b"\r" if self._rest.endswith(b"\r") else b""
        usable = self._rest.removesuffix(held) if held else self._rest
        lines = usable.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        events = (self._line(line.decode("utf-8", "replace")) for line in lines)
        return [event for event in events if event is not None]

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        return None

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data = "", []
        if not name and not data:
            return None
        return ServerEvent(name or "message", "\n".join(data))
