"""One module for each upstream service: its tables, its endpoints, its wiring."""
