"""Pupils and guardians: the most sensitive data there is. Sent once, sealed at once, shown only masked."""
