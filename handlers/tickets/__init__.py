"""Tickets: the event that describes one change of an incident, and the target that it is posted to."""
