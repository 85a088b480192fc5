"""Answers by a language model whose quotes are checked against the documents."""
