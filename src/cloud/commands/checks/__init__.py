"""What `sagetree cloud check` compares: each part of the account with the template's promise."""
