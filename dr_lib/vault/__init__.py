"""One region's repository: what lies in it, how it is written, and how it is read back."""
