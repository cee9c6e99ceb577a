"""What a chart plays: pure values, from palette to notes."""
