"""The commands of `python -m handlers`, one file each."""
