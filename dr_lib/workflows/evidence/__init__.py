"""Evidence of drills: keeping it in every region, and proving that it is what was written."""
