"""The Task API server that rowcite ships: `app.create_app` builds it, `serving.serve` and `serving.embedded` run it."""
