"""Upstreams to develop against: deterministic data, real writes, faults on demand."""
