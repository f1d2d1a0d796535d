"""Runs reporting."""

from kit.service import run
from services.reporting.app import build

run("reporting", build)
