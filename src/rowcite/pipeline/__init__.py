"""From a spec and a table to the enriched table: prepare, plan, submit, escalate, write."""
