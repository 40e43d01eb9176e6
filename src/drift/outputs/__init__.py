"""What was measured, in Model Monitor's own files."""
