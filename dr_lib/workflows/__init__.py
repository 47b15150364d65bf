"""One use case a module. They take what they need as arguments and never import each other."""
