"""Talking to servers: addresses, retries, and the one client that opens sockets."""
