"""What qlive does: load facts through ports, decide, commit, return the reply and the effects.

Use cases hold no state between calls, except what a store that failed in the middle left open. A commit is one
guarded write per fact; where a command needs several facts, their order is such that a crash in between leaves
something that reads as harmless and that the sweep removes. A lost race means to decide again on fresh facts, see
:func:`.races.redecided`.
"""
