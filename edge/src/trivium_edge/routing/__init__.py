"""Which route a request takes: patterns, the table, and the compiler from configuration to table."""
