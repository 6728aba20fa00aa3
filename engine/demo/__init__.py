"""The built-in demo provider: a real HTTP server with known behaviour."""
