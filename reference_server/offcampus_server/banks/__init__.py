"""Banks as supervisors: the risk assessments that they submit."""
