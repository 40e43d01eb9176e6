"""An account of AWS as a person's commands see it: calls that are said, the stack, what it made."""
