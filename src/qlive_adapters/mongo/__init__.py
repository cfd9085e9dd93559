"""MongoDB as the store of record: on a standalone server as well as on a replica set or a sharded cluster.

No write needs a transaction: what must be unique is a unique index, and every change of a fact names the
revision that it was decided on. Changes that are made at the same time are sent together.
"""
