"""What the core needs from the world, declared by the side that needs it.

Stores keep facts (:mod:`.stores`), clouds reach people (:mod:`.clouds`), and :mod:`.world` is the rest: time,
chance, and the bus that carries signals to users.
"""
