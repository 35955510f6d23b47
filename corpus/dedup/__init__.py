"""Duplicates: by content, by URL, and by resemblance (MinHash)."""
