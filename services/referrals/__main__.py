"""Runs referrals."""

from kit.service import run
from services.referrals.app import build

run("referrals", build)
