"""One module for each service's part of the graph, each fit to become a federation subgraph of its own.

A module owns its entities and its queries. What it adds to another module's entity is a class with that
entity's key (`OrdersOfUser`): the key is all that it may know of it.
"""
