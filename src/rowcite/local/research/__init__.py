"""The engine behind the local server: it answers questions from a folder of documents, with citations."""
