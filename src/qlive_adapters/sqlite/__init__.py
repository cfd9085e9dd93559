"""The embedded store: one SQLite file, written by one thread, read in place.

Writes of many callers share a commit, which makes full durability cheap; reads cost less than a thread hop
and so run on the event loop's thread, through a connection of their own.
"""
