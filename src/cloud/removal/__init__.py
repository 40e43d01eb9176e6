"""What a stack's deletion leaves, and its removal: what the function `clean` is made of."""
