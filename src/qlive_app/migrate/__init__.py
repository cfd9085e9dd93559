"""``qlive migrate``: take over what the original server left, with progress and a report."""
