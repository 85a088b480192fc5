"""The spec: YAML with its positions, models and their types, errors, JSON schemas, limits on what is read."""
