"""The one idea in code: a programme and a segment number make one second of stream."""
