"""Catalogs: where records come from, and how they are found."""
