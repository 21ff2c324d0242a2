"""What the edge tells about its requests: counters, the access log, decisions. Never blocks, keeps no secrets."""
