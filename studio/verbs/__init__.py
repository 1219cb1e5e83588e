"""Every action of the studio as a plain function. Command line and screens call these and nothing else."""
