"""The server against others that hold the same model, on this machine, in one interleaved run."""
