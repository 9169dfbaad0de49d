"""One number followed back to its runs."""
