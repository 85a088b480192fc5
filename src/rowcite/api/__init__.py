"""The Task API: its facts, its JSON both ways, and one method an endpoint."""
