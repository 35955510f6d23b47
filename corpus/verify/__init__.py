"""Checks that a finished workspace is whole and agrees with itself, without its input."""
