"""Files parsed to documents, and the facts extracted from each."""
