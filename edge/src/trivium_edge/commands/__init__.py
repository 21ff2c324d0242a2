"""What `trivium-edge` does besides running: checking, asking, testing and comparing configurations. No edge runs."""
