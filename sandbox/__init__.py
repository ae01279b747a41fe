"""What stands in for Azure on your own machine. Never deployed."""
