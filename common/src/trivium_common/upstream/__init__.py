"""Typed clients of the services behind a BFF."""
