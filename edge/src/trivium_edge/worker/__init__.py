"""One worker process: serves the proxy port on inherited sockets, obeys the supervisor over its control socket."""
