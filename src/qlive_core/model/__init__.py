"""The facts that qlive keeps, one module each, and the statuses that follow from them.

A fact is a frozen value with an integer revision ``rev``, which is one more with each replacement.
A status is never stored: :mod:`qlive_core.model.status` computes it from facts.
"""
