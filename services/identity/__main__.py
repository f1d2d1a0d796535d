"""Runs identity."""

from kit.service import run
from services.identity.app import build

run("identity", build)
