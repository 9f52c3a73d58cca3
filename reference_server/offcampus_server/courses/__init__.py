"""Courses, classes and lessons: filed under the rules, approved, put on sale, scheduled."""
