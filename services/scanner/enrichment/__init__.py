"""Reads images: sizes, what is broken, covers and thumbnails. Beside the scans, and after them."""
