"""Whole files: their hashes, and whether they still hold."""
