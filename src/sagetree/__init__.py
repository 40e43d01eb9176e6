"""What two or more of the four programs (prepare, train, evaluate, serve) share."""
