"""The `trivium` command for developers and operators. It imports no deployable."""
