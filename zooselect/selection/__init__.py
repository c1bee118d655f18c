"""Sparse transfer: from a catalog, a task and a level to one model.

A pure function, one step a module, in the order they run:
`scope` → `size_classes` → `tier` → `rung` → `variant` → `selection`, and
`explanation` for people.
"""
