"""Checks of the profile `platform`: any server that claims the standard."""
