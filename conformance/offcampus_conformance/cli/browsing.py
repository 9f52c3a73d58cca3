"""`serve`: the same in a browser on this machine."""
