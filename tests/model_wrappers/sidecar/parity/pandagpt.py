"""Upstream's `generate`, which its web demo calls; only the decoding is greedy here."""

SOUND = True


def noting(system):
    noted, llm = [], system._model.llama_model
    original = llm.generate

    def generate(**named):
        noted.append(named["inputs_embeds"])
        kept = {k: v for k, v in named.items() if k not in ("top_p", "temperature", "do_sample")}
        return original(**{**kept, "do_sample": False, "max_new_tokens": 6})

    llm.generate = generate
    return noted


def theirs(system, video, sound, question):
    inputs = {"prompt": question, "image_paths": [], "audio_paths": [sound]}
    inputs.update(video_paths=[video], thermal_paths=[], modality_embeds=[])
    inputs.update(max_tgt_len=6, top_p=0.01, temperature=1.0)
    system._model.generate(inputs)  # its reply lacks the last two tokens
