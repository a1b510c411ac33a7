"""Watches the folders of libraries between scans, and hints at what has changed."""
