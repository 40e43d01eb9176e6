"""Sockets and HTTP/1.1: a worker's loop, its connections and what it reads from them."""
