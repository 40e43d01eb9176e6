"""Feature Store on the desk: its groups, their records online, and files as it writes them."""
