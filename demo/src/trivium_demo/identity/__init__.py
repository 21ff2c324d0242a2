"""An identity provider for development. Its secrets are published: never use it for anything real."""
