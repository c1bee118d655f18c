"""Comparing the models that may answer a question, on all figures on record."""
