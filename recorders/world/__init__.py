"""The simulated world: a leaf that knows only physics, no files, no datasets, no learning."""
