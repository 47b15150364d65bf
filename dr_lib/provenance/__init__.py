"""Where an asset says it comes from: OpenSSF model signatures, made and checked."""
