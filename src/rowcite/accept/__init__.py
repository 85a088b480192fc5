"""What counts: values to types, the rules that accept or refuse them, all runs of a row to its cells, who is asked next. Pure."""
