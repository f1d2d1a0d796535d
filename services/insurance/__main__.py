"""Runs insurance."""

from kit.service import run
from services.insurance.app import build

run("insurance", build)
