"""The device team's BFF: minimal REST for devices."""
