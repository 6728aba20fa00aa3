"""The measuring engine: spec in, events out. Knows no web, database, queue or terminal."""
