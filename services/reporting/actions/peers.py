"""Whom reporting asks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peers:
    """Reporting asks nobody: it hears."""
