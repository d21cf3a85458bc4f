import json

import torch


class SupervisedAudioVisualDataset4Test:
    def __init__(self, data_type, audio_data_path="", audio_root_path="", video_data_path="",
                 image_data_path="", video_root_path="", image_root_path="", sample_rate=16000,
                 sample_per_clip=2, clip_duration=1, use_whisper="", use_blip="", training=True,
                 sin_pos=False, return_raw=False, cache_dir=""):  # fmt: skip
        self.data_type, self.clip_sampler = data_type, None
        assert (use_whisper, training, return_raw) == ("true", False, True)
        for name in ("audio", "video", "image"):
            if path := locals()[f"{name}_data_path"]:
                with open(path) as file:  # below the working directory
                    items = json.load(file)
                setattr(self, f"{name}_path_list", [item["image_name"] for item in items])
                setattr(self, f"{name}_caption_list", [item["conversation"] for item in items])

    def get_clip_timepoints(self, clip_sampler, duration):
        return [(0.0, 1.0), (1.0, 2.0)]

    def __getitem__(self, i):
        name = {"audiovideoimage": "video", "audioimage": "image"}.get(self.data_type, "audio")
        paths, talk = (
            getattr(self, f"{name}_path_list")[i],
            getattr(self, f"{name}_caption_list")[i],
        )
        both = isinstance(paths, list)
        seen, heard = paths if both else (paths, self.audio_path_list[0])
        question = talk[0]["value"]
        if name == "audio":
            media = heard
        elif name == "image":
            media = [heard, seen]
        else:
            clips = self.get_clip_timepoints(self.clip_sampler, 2.0)
            media = [
                heard,
                [torch.zeros(3, 2, 8, 8) for _ in clips[: 1 if "cut" in question else 2]],
            ]
        mask = [1, int(both and "deaf" not in question)]
        return {"image_paths": media, "output_texts": talk, "mask_audio": mask}

    def collate(self, instances):
        (one,) = instances
        masks = None if self.data_type == "audio" else torch.tensor([one["mask_audio"]])
        batch = {"image_paths": [one["image_paths"]], "output_texts": [one["output_texts"]]}
        return {**batch, "modality": self.data_type, "audiomasks": masks}
