"""One function per verb: load, permit, decide, save, and record the fact in the same transaction."""
