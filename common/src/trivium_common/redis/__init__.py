"""Connections to Redis or Valkey: bounded in time, self-healing, and one shared link for the hot path."""
