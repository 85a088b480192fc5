"""Acceptance, pure: values to types, evidence, checks and rules, and one answer to cells."""
