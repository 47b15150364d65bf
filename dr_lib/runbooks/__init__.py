"""Runbooks as a machine reads them: where they lie, and what each says, shows and has typed."""
