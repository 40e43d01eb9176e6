"""Jobs that look for drift in what the stack has scored."""
