"""The one training loop and what it stands on: limits, checkpoints, health, devices, what one sees of it."""
