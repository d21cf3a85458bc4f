"""What both embedded models have in common: special tokens and the chat template."""

from __future__ import annotations

__all__ = ["CHAT_TEMPLATE", "END_OF_TEXT", "NAMED_TOKENS", "SPECIAL", "TURN", "TURN_END"]

END_OF_TEXT, TURN, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
NAMED_TOKENS = {
    "audio_token": "<|AUDIO|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
    "image_token": "<|IMAGE|>",
    "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
}
SPECIAL = (END_OF_TEXT, TURN, TURN_END, *NAMED_TOKENS.values())

CHAT_TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message['role'] }}
{% for part in message['content'] -%}
{%- if part['type'] == 'video' -%}<|vision_bos|><|VIDEO|><|vision_eos|>
{%- elif part['type'] == 'image' -%}<|vision_bos|><|IMAGE|><|vision_eos|>
{%- elif part['type'] == 'audio' -%}<|audio_bos|><|AUDIO|><|audio_eos|>
{%- else -%}{{ part['text'] }}
{%- endif -%}
{%- endfor -%}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}
"""
