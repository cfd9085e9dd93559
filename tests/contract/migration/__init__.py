"""Taking over a database of the original, on a real server."""
