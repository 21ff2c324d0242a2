"""Rate limits: five algorithms as pure functions, counted in this process or shared through Redis.

`local` needs nothing of Redis; only `shared` loads its client.
"""
