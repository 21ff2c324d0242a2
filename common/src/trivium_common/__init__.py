"""Mechanisms shared by the deployables of Trivium. Knows nothing of web, mobile or iot."""
