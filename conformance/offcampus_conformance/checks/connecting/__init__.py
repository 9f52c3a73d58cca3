"""Checks of any system that connects, a vendor's or a bank's: each is declared once and judged in both profiles."""
