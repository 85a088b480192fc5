"""Answers compared with labels: how often they are right, by field, processor and confidence, and the cheapest policy."""
