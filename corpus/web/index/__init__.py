"""Captures: where in which archive a page lies, as crawl indexes say, and the bytes from there."""
