"""The CPU engine: 128 trajectories side by side."""
