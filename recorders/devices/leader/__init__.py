"""LeRobot's SO-101 leader arm: found, checked and read by LeRobot itself."""
