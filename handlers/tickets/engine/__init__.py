"""The one client of all ticketing systems: it reads a system's file and does what the file says."""
