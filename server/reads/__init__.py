"""Answers to reads that are shared by those who ask at the same time."""
