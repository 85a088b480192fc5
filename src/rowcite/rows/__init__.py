"""Rows to cells: a row's stored runs, its given values and people's decisions, resolved in one place."""
