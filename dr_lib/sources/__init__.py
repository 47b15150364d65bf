"""Where assets are read from: what is there, which bytes it has, and where its files are cut."""
