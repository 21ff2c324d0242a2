"""The supervisor: owns the listening sockets, keeps the workers alive, and alone answers operators."""
