"""Tables larger than one machine: an engine runs the reader and the writer on one part of the table after another.

A part is a file of the input. The driver, which is the command, has the ledger, the key and the budget: workers read a part and
write a part, and know nothing else.
"""
