"""The faces: command line, settings, and the only wiring between packages."""
