"""Watching a policy think: moments of an episode, their history on disk, going on from any of them."""
