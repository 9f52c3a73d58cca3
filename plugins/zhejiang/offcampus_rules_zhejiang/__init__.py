"""Zhejiang's rules. Everything is data: parameters and cases lie beside this package."""
