"""Training and evaluation of policies, and statistics of what was found."""
