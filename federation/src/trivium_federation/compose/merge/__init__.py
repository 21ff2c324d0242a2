"""From the schemas of all subgraphs to one merged schema."""
