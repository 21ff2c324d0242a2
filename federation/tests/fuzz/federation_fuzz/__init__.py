"""Differential fuzzing of the federation engine: the federated answer against that of one plain schema.

In the order of the data: supergraph (read on its own, sharing no code with the engine) → data → plain schema and strict
subgraphs over the same data → random operation → both answers compared → a difference shrunk and written down.
"""
