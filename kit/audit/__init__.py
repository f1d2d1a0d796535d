"""The audit trail: who did what to what, written in the transaction of the change, chained and sealed afterwards.

A fact told with `outbox.record(..., by=viewer)` writes its entry by itself; a verb that tells none calls `record`; who read
patients' data is written by `saw` before the answer leaves.
"""

from kit.audit.entries import Deed, record, saw

__all__ = ["Deed", "record", "saw"]
