"""The admin API: what operators may see and do. Runs in the supervisor, behind a key, never on the proxy port."""
