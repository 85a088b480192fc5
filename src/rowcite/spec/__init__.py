"""What the user asks for: YAML with its places, models, the kinds of values, JSON schema, and how much is read."""
