"""Bytes to cells, for files and bodies alike."""
