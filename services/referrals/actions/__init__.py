"""One function per verb: load, permit, decide, save, record the fact."""
