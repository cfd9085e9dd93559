"""What every set of stores promises. Each set runs the same suites: see ``contract.py``."""
