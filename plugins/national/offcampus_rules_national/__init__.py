"""The national floor. Everything is data: parameters, rules, messages and cases lie beside this package."""
