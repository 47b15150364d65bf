"""The recovery kit: one file that reads a vault on a machine with nothing but Python."""
