"""The report: a table and its ledger counted, drawn, and written as one page that needs nothing else."""
