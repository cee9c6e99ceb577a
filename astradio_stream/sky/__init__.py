"""Where the planets are, and what astrologers make of it."""
