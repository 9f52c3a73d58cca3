"""Makes the SDK's generated modules from the standard; not needed to use the SDK."""
