"""Runs plans. The interpreter in here is the meaning of a plan; compiled plans only do the same faster."""
