"""`linstock demo`: a Linstock of its own with a generated library, to see everything within two minutes.

A program like any other: it starts Linstock by its command and talks to it over HTTP. No service imports it.
"""
