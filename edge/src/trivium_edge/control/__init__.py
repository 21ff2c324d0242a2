"""How supervisor and workers talk: one Unix socket pair for each worker, JSON lines both ways."""
