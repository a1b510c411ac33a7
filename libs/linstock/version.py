"""Which version of the SDK this is."""

from importlib import metadata

VERSION = metadata.version("linstock")
