"""Contract tests of the bench: its own servers."""
