"""Money proposals: what one officer proposes and another must approve before any money moves."""
