"""The instruments of audio model v1.0, kept as they are for as long as the model is served."""
