"""The bench: what qlive does per second, as a share of what its server stack can do on the same machine.

It starts its own servers, drives them over real sockets and knows nothing of their insides. ``bench/README.md`` in
the repository says how to read its table.
"""
