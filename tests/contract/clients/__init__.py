"""What the shipped apps need, row by row: each test is named after its row and states one fact of it.

The apps are Android and iOS in three generations: G1 is signalled over WebSocket, G2 and G3 over the chat cloud.
H rows are about HTTP, W rows about WebSocket, I rows about the chat cloud, B rows about what was broken in the
original server and is no more.
"""
