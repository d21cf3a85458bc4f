"""Small tokenizers for tiny instances, trained on the spot: nothing is downloaded."""

from __future__ import annotations

import os

__all__ = ["sentencepiece_model"]

_SENTENCES = (
    "Watch the video and listen to its sound before you answer the question.",
    "A dog barks, then a bell rings twice while a man closes the red door.",
    "Step one: describe what can be seen. Step two: describe what can be heard.",
    "Which of the instruments is louder, and where in the picture is it played?",
    "The answer is a single word, a number, or the letter of one of the options.",
)


def sentencepiece_model(folder: str) -> str:
    """Train a LLaMA-like sentencepiece model and return its path.

    Unknown, begin and end are pieces 0, 1 and 2, as in LLaMA's; bytes stand in for whatever the
    few training sentences do not have, so that any text can be encoded and decoded.
    """
    import sentencepiece

    prefix = os.path.join(folder, "tokenizer")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_SENTENCES),
        model_prefix=prefix,
        model_type="bpe",
        vocab_size=480,
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return prefix + ".model"
