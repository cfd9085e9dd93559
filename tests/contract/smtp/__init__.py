"""Mail through a real mail server in a process of its own."""
