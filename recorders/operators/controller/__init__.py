"""A person's controller as an operator: from readings of a hand in space to one target per frame."""
