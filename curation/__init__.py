"""Episodes at rest: the base layer that all other packages import."""
