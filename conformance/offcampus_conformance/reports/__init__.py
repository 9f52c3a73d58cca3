"""Reports of a run: JSON for machines, JUnit for CI, one HTML page for people, text for the terminal."""
