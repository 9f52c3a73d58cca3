"""Institutions: the Article 11 file, campuses, staff, training materials, and the approval of the file."""
