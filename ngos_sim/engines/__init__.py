"""How it runs: loops, memory, counters; no mathematics."""
