"""What everybody may read: approved institutions, the standard's own texts, what this platform implements."""
