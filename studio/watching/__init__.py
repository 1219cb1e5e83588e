"""Watching a policy think: moments of an episode, their history on disk, and a session that goes on from any of them."""
