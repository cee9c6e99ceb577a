"""What the eye gets: sixty frames a second of small numbers."""
