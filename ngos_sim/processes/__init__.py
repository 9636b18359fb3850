"""What moves: rules that take one coordinate one step."""
