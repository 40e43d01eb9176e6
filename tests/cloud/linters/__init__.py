"""What other programs find in the templates, held against the list of what is accepted.

    make cloud-check

Each program runs in an environment of its own, below .cloud-check.
"""
