"""Load tests and benchmarks: figures that others can repeat."""
