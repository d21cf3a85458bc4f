"""torchaudio is not in the environment of these tests; the adapter replaces `load`."""
