"""Answers from the facts of the documents read: JSON objects, texts and reports."""
