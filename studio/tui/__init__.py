"""The terminal application: screens over the same verbs as the command line."""
