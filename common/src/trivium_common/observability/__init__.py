"""What a process tells about itself: log lines and the context of a request. No secrets, never blocking."""
