"""Runs directory."""

from kit.service import run
from services.directory.app import build

run("directory", build)
