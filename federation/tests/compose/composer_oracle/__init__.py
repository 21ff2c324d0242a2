"""Compares our composition with the reference composer from npm, on sets that are right and sets that are nearly right."""
