"""Astradio Stream: endless music from the sky, exact to the sample."""

__version__ = "0.1.0"
