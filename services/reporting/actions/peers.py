"""Whom reporting asks: for names, when a file is made. What it counts, it has heard."""

from dataclasses import dataclass

from kit.rpc import Peer


@dataclass(frozen=True)
class Peers:
    """The siblings reporting asks."""

    directory: Peer
    insurance: Peer
