"""The commands, one a module: `add` says what it takes, `run` does it, returns the exit status."""
