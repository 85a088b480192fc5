"""The Task API server that rowcite ships: `app.create_app` builds it, `run.serve` and `run.embedded` run it."""
