"""One institution's day from end to end: every party its own process, everything over HTTP, every refusal shown."""
