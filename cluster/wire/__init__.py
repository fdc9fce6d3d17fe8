"""Formats that bytes between processes follow. Everything here is pure."""
