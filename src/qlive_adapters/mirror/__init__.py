"""A local cache around any set of stores. It is a set of stores itself.

Reads may be stale, commits never. A write goes to the wrapped store first, which guards it; only what it has
committed enters the mirror. A write that lost a race makes the mirror look again at what it lost to, so that
whoever decides again decides on the truth. With one process in front of the wrapped store nothing is stale.
"""
