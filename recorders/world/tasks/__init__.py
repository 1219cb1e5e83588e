"""Tasks, one file each: what is asked, for how long, and in which words."""
