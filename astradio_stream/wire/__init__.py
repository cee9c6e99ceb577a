"""Bytes and messages: a session as a table of states and events, without I/O or a clock."""
