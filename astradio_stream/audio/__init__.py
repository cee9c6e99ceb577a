"""How a score sounds: instruments, the mix, the codec."""
