"""Lists of URLs: from the pages that people linked to, to one row a page."""
