"""Downloads: exactly the model, or nothing that looks like it."""
