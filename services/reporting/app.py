"""Reporting, put together."""

import os
from collections.abc import Mapping

from kit.config import ServiceSettings, load
from kit.service import Service
from services.reporting.actions import JOBS, Peers
from services.reporting.actions.measuring import PRACTICE_JOBS
from services.reporting.actions.trainings import TRAINING_JOBS
from services.reporting.consumers import HEARINGS
from services.reporting.files import routes
from services.reporting.schema import SCHEMA


def build(environment: Mapping[str, str] = os.environ) -> Service[Peers]:
    """The service as the environment describes it."""
    return Service(
        name="reporting",
        settings=load(ServiceSettings, "reporting", environment),
        schema=SCHEMA,
        peers=lambda _: Peers(),
        hearings=lambda _: HEARINGS,
        jobs=(*JOBS, *PRACTICE_JOBS, *TRAINING_JOBS),
        routes=routes,
    )
