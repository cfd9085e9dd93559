"""RongCloud: instant messages, chat rooms and their order, and the callbacks with which it reports."""
