"""Upstream's `predict_answers`, as its evaluation on MUSIC-AVQA calls it, greedy."""

SOUND = True


def noting(system):
    noted, t5 = [], system._model.t5_model
    original = t5.generate

    def generate(inputs_embeds, attention_mask, **_):
        noted.append(inputs_embeds)
        greedy = {"do_sample": False, "num_beams": 1, "max_new_tokens": 6}
        return original(inputs_embeds=inputs_embeds, attention_mask=attention_mask, **greedy)

    t5.generate = generate
    return noted


def theirs(system, video, sound, question):
    from lavis.common.registry import registry
    from lavis.processors.audio_processors import BeatsAudioProcessor

    frames = registry.get_processor_class("blip_video_eval")(image_size=224, n_frms=4)
    waves = BeatsAudioProcessor("iter3", 16000, 2, 512, False)
    words = (
        "Question: "
        + question
        + " Based on the frames and audio information, answer the question using a single word or"
        " phase."
    )
    samples = {"rgb": frames(video)[0][None], "audio": waves(sound)[None]}
    samples.update(qa_input=[words], qa_output=["nothing"], question_id=["0"])
    return system._model.predict_answers(samples, num_beams=1, max_len=6)[0].strip()
