"""The demo's world, generated: the same on every machine, from fixed seeds and a fixed date. No SQL, no HTTP."""
