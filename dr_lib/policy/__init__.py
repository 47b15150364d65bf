"""Pure decisions: everything they weigh comes in as arguments, the time included."""
