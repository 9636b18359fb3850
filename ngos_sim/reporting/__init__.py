"""What people look at: figures and words for a terminal."""
