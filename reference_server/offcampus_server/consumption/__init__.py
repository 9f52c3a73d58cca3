"""Consumption: reported with proof, confirmed by the guardian, by silence or by ruling; disputed; reversed."""
