"""From the client's text to a checked, merged operation whose conditions are decided."""
