"""A leader arm in a person's hands: joint for joint, as LeRobot's own teleoperation has it."""
