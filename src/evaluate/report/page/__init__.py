"""Sections of text, tables and charts, as one HTML file or as Markdown."""
