"""Tasks to answers: batches sent and followed under budget, rate and credit, over HTTP, with the ledger beside."""
