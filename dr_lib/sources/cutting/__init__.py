"""How each format is cut into frames. Every reader here takes its input for bytes that nobody vouches for."""
