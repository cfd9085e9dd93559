"""The outside world behind the core's ports: one sub-package per outside system, none of which knows another."""
