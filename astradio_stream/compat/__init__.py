"""How two charts meet, and who among millions meets one best."""
