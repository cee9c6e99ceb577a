"""The composer of audio model v1.0, kept as it is for as long as the model is served."""
