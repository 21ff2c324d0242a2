"""Who calls: the identity that the edge vouches for, and the keys that are only good for development."""
