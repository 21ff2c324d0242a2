"""How requests meet the limits: whose requests are counted together, and the limiter that counts them."""
