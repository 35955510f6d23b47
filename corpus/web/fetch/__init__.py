"""Fetching the pages of a list: politely, safely, once."""
