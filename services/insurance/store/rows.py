"""What every statement about participations has in common.

Rows are locked FOR NO KEY UPDATE: whoever adds a row that names another one (`copied_from`) is not in the way, nor held up.
"""

PARTICIPATION = """
SELECT id, organization_id, provider_id, office_id, plan_id, effective_from, effective_until, source,
    added_at, added_by, ended_at, ended_by, said_until, last_verified_on, last_verified_by, version, copied_from
FROM participations
"""


def holds_on(place: int) -> str:
    """That a row holds on the day of this argument."""
    return f"(effective_from <= ${place} AND coalesce(effective_until, 'infinity') > ${place})"


def lasts_from(place: int) -> str:
    """That a row holds a day from the day of this argument on."""
    return f"coalesce(effective_until, 'infinity') > greatest(${place}, effective_from)"
