"""Users' own inference scripts, and what holds where they leave a function out."""
