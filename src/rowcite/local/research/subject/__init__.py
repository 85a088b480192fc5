"""The entity of a question, and the documents and facts that are about it."""
