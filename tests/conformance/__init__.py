"""The twelve traps of reading a model's stream, each one with its truth."""
