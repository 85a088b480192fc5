"""Deciding on cells: the report served on loopback, and decisions as a CSV."""
