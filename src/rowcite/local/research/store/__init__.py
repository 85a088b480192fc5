"""The documents of a corpus folder on disk, and the index that finds them."""
