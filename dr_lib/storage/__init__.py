"""Where the bytes of a region or a source lie: one contract (`base`), one module a kind of store, thin wrappers."""
