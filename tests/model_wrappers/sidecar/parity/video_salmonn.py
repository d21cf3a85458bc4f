"""What upstream's `inference.py` does with one item of its test set, greedy."""

import json
import os

SOUND = True


def noting(system):
    noted, llm = [], system._model.llama_model
    original = llm.generate

    def generate(**named):
        noted.append(named["inputs_embeds"])
        return original(**named)

    llm.generate = generate
    return noted


def theirs(system, video, sound, question):
    import transformers
    from datasets import SupervisedAudioVisualDataset4Test

    extractor = transformers.WhisperFeatureExtractor
    extractor.from_pretrained = lambda *_, **__: extractor()  # the same, without a download
    os.chdir(system._place)
    talk = [{"from": "human", "value": question}, {"from": "gpt", "value": "None"}]
    with open("items.json", "w") as file:
        json.dump([{"image_name": [video, sound], "conversation": talk}], file)
    items = SupervisedAudioVisualDataset4Test(
        "audiovideoimage",
        audio_data_path="./dummy/dummy_audio.json",
        video_data_path="items.json",
        use_whisper="true",
        training=False,
        sin_pos=False,
        return_raw=True,
        cache_dir="./ckpt/pretrained_ckpt",
    )
    greedy = {"num_beams": 1, "repetition_penalty": 1.0, "max_new_tokens": 6}
    batch = items.collate([items[0]])
    (text,) = system._model(batch, generate=True, generate_config=greedy)
    return text.replace("<s>", "").replace("</s>", "").strip()
