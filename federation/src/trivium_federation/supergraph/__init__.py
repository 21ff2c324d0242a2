"""From the text of a supergraph to immutable tables."""
