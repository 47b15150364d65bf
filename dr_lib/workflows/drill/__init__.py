"""A drill: bring a disaster over the world, recover from it in the standby, and write down what that showed."""
