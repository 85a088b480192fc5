"""Tables in and out: sources, rows to tasks, answers to columns, and a file that appears whole or not at all."""
