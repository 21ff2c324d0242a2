"""A plain HTTP server around the engine, for people who want only a router. Needs the `server` extra."""
