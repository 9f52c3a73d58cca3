"""Checks of the profile `rules`: a province rule plugin."""
