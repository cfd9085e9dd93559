"""``qlive demo``: the main job, played for somebody who watches.

``client`` is also what a Python client of qlive looks like, ``story`` what it does.
"""
