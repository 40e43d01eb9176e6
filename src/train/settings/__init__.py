"""The files of input/config to one checked record."""
