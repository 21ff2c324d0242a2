"""GraphQL over HTTP: reading requests, checking documents, executing them, writing answers. Knows no schema."""
