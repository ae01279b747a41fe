"""`make simulate`: the app past one machine. A night's failures are played on a virtual clock, with costs measured from the real code."""
