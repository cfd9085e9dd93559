"""The signalling endpoint: sockets and timers around the core's connection protocol."""
