"""A first spec for a table: how the table is written, what its columns hold, what a row describes, what to ask about it."""
