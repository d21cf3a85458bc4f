"""What makes contributions to lmms-eval of this project's own sources."""
