"""Small tokenizers for tiny random instances."""

from __future__ import annotations

import importlib
import json
import os
import re
from typing import Any, List

__all__ = ["byte_letters", "byte_tokenizer", "sentencepiece_model", "word_tokenizer"]

_CHATML = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

_SENTENCES = (
    "Watch the video and listen to its sound before you answer the question.",
    "A dog barks, then a bell rings twice while a man closes the red door.",
    "Step one: describe what can be seen. Step two: describe what can be heard.",
    "Which of the instruments is louder, and where in the picture is it played?",
    "The answer is a single word, a number, or the letter of one of the options.",
    "How many people are there, and who of them starts to speak first in this clip?",
    "End your reply with one line: Answer: a word, a name, yes or no.",
    "Write the steps that lead to the answer, one on each line, with what you find.",
    "Do not give away the answer. Think about what is shown before it begins.",
    "Give a whole number from 1 to 10 for how well this caption fits the clip.",
    "Nothing fits, most of it does, or everything that is said is seen and heard.",
    "Your earlier notes scored 3 out of 10; something was wrong or missing.",
    "Turn them into one short caption: what happens, in which order, from the left.",
    "The woman on the right plays the piano and the guitar at the same time.",
    "When the music stops, a blue circle and a green square move to the middle.",
    "Only some of these sounds belong together with another part of the scene.",
    "Judge only by what you have been given, and reply with JSON if it is asked for.",
)
"""English as requests have it: a token has three of their letters, two of most other words'."""


def byte_letters() -> List[str]:
    """Return the 256 letters by which byte-level tokenizers write bytes, in order of the bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte if byte in plain else next(spare)) for byte in range(256)]


def byte_tokenizer(folder: str) -> Any:
    """Write a byte-level Qwen2 tokenizer with a ChatML template; return its slow class's object.

    One token for each byte, and the family's three special tokens: 259 in all.
    """
    transformers = importlib.import_module("transformers")
    os.makedirs(folder, exist_ok=True)
    vocabulary, merges = os.path.join(folder, "vocab.json"), os.path.join(folder, "merges.txt")
    with open(vocabulary, "w", encoding="utf-8") as file:
        json.dump({letter: number for number, letter in enumerate(byte_letters())}, file)
    with open(merges, "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n")
    tokenizer = transformers.Qwen2Tokenizer(
        vocabulary,
        merges,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )
    tokenizer.chat_template = _CHATML
    tokenizer.save_pretrained(folder)
    return tokenizer


def sentencepiece_model(folder: str) -> str:
    """Train a LLaMA-like sentencepiece model and return its path.

    Unknown, begin and end are pieces 0, 1 and 2, as in LLaMA's; bytes stand in for whatever the
    few training sentences do not have, so that any text can be encoded and decoded. Spaces stay as
    they are, as in LLaMA's: a text of one space has a token.
    """
    sentencepiece = importlib.import_module("sentencepiece")
    prefix = os.path.join(folder, "tokenizer")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_SENTENCES),
        model_prefix=prefix,
        model_type="bpe",
        vocab_size=1200,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return prefix + ".model"


def word_tokenizer(folder: str) -> Any:
    """Write a fast T5 tokenizer with a token for each of few words and marks; return it.

    Padding, end and unknown words are tokens 0, 1 and 2, as in T5's.
    """
    tokenizers = importlib.import_module("tokenizers")
    transformers = importlib.import_module("transformers")
    os.makedirs(folder, exist_ok=True)
    words = sorted({word for one in _SENTENCES for word in re.findall(r"\w+|[^\w\s]+", one)})
    names = ["<pad>", "</s>", "<unk>", *words, *"ABCDE"]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys(names))}
    model = tokenizers.models.WordLevel(vocabulary, unk_token="<unk>")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    fast = transformers.T5TokenizerFast(tokenizer_object=tokenizer, extra_ids=0)
    fast.save_pretrained(folder)
    return fast
