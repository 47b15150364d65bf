"""What a drill really does to the world, each with its undoing. Every undoing may be repeated, and begin anywhere."""
