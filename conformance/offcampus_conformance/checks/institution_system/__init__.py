"""Checks of the profile `institution-system`: a vendor's system, judged by the traffic that it makes."""
