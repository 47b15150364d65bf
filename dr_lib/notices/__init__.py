"""Messages to people: how they read, and how they are sent."""
