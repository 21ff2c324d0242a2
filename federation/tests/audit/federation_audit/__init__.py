"""Runs the public federation audit (graphql-hive/federation-gateway-audit) against the engine."""
