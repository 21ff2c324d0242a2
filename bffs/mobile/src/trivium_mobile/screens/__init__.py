"""One module for each screen of the phone apps: its answer, its sources, its route."""
