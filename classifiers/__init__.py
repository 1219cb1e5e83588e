"""Success classifiers: what a picture says of an episode's end, and the card that says how far to trust it."""
