"""Who calls: access tokens, API keys, and the consumer, subject and client kind they stand for."""
