"""Inputs from which fuzzing starts: what models, services and users really write."""

from __future__ import annotations

import json

ITEM = {
    "id": "a",
    "column": "geoiq",
    "category": "Currency",
    "question": "Which?",
    "options": ["x", "y"],
    "answer": "A",
    "video": "media/a.mp4",
    "audios": ["media/b.wav"],
    "source": {"dataset": "d", "id": "1"},
    "reasoning_steps": ["Look."],
    "step_answers": ["x"],
}
TRACE = {
    "key": "ab1",
    "question_key": "q",
    "question": "Which?",
    "clip_digest": "c",
    "media": [],
    "roles": {"reasoner": "r"},
    "prompts_digest": "p",
    "threshold": 6,
    "max_iterations": 5,
    "seed": 0,
    "iterations": [{"steps": ["Look."], "score": 7}],
    "best": 0,
    "stop": "accepted",
}
SAMPLE = {
    "doc_id": 0,
    "item": "geoiq-0",
    "column": "geoiq",
    "category": "Currency",
    "video": "media/a.mp4",
    "score": 1.0,
    "accuracy": 1.0,
    "unparsed": 0.0,
    "judge": {"service": "s", "model": "m"},
}
RATING = {"question": "q", "candidate": 1, "rating": 7, "right": True}
TEXTS = (
    '{"steps": ["Look.", "Listen."], "answers": ["a", "b"], "final_answer": "c"}',
    '```json\n{"steps": [{"step": "Look.", "answer": "a"}]}\n```',
    "1. Look -> a car\n2. Listen -> a horn",
    "<think>hm {</think>{'steps': ['Look'],}",
    '{"score": 7, "feedback": "More."}',
    "Score: 7/10\nIt fits.",
    '{"score": 1e999}',
    "The answer is (B).\nAnswer: B) two dogs",
    "openai:gpt-4o?base_url=http://127.0.0.1/v1&x=1",
    "gpt-4o:1/2|3/4",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "120",
    "'retryDelay': '12s'",
    json.dumps(ITEM),
    json.dumps(TRACE),
    json.dumps([{**ITEM, "options": "['x', 'y']"}]),
    "id,question,answer,column,category,video\n1,Which?,A,geoiq,Currency,a.mp4\n",
    '{"text": "a", "usage": {"input_tokens": 1}, "model": "m"}',
    json.dumps(SAMPLE),
    json.dumps({**SAMPLE, "score": RATING, "accuracy": RATING, "unparsed": RATING}),
    '{"question_key": "k", "steps": ["a", "b"], "step_answers": "x\\ny", "stop": "accepted"}',
    '{"B": "dog", "A": "cat"}',
    '["B. dog", "A. cat", ""]',
    "['cat', None]",
    '{"id": "a", "key": "ab1", "key": NaN}',
    "{" * 2_000,
    '{"steps":' + "[" * 2_000,
)
