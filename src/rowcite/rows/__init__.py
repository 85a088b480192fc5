"""All that is known of a row (stored runs, given values, decisions of people) to its cells. Pure, but for the ledger that is handed in."""
