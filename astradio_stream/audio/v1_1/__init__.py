"""The sound of model v1.1."""
