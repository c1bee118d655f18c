"""One-shot and training-aware: what to do to a model, rather than which one to take."""
