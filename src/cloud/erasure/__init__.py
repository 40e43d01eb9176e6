"""What a stack keeps of one policy, found and removed."""
