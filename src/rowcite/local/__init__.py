"""Outside the core: the Task API server that rowcite ships, and the engine that answers from documents."""
