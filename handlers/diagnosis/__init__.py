"""Which error it is, which of its documented causes apply, and what changed since the last diagnosis."""
