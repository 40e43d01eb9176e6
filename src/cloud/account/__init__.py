"""An account of AWS as a person's commands see it: printed calls, the stack, what it made."""
