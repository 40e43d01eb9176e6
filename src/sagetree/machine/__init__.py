"""The process and the machine it runs on: paths, exits, signals, cores and memory."""
