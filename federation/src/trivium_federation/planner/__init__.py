"""From a normalised operation to the fewest subgraph requests: graph, paths, choice, fetches, plan."""
