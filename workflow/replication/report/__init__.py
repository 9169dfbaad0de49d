"""What a reader sees: figures, tables, pages."""
