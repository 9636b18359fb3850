"""The GPU engine: a thread a trajectory."""
