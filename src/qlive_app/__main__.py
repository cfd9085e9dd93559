"""``python -m qlive_app`` is the command ``qlive``."""

from qlive_app.cli import main

main()
