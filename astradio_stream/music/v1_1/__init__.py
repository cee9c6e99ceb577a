"""The composer of audio model v1.1."""
