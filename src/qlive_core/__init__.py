"""The rules of qlive: pure values, pure decisions, and use cases over ports."""
