"""The wire contract: the real server, started as users start it, seen over real sockets."""
