"""Workers: what happens without a request. Safe to run twice at once and to be killed anywhere."""
