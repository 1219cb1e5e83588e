"""Training and evaluation of policies: to come."""
