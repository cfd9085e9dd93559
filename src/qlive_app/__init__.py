"""The server: configuration, wiring, and the two faces that clients see, HTTP and signalling."""
