import copy
import json

import av
import numpy as np
import torch
import torchaudio

from video_llama import SEEN


class Conversation:
    def __init__(self, system, roles, sep):
        self.system, self.roles, self.sep, self.messages = system, roles, sep, []

    def copy(self):
        return copy.deepcopy(self)

    def append_message(self, role, message):
        self.messages.append([role, message])

    def get_prompt(self):
        said = "".join(f"{self.sep}{role}:{text or ''}" for role, text in self.messages)
        return self.system + said


default_conversation = Conversation("", ("Human", "Assistant"), "###")
conv_llava_llama_2 = Conversation("Help.", ("USER", "ASSISTANT"), "<s>")


def load_and_transform_audio_data(audio_paths, device, clips_per_video=3):
    waveform, rate = torchaudio.load(audio_paths[0])
    SEEN.update(sound=audio_paths[0], sound_seconds=waveform.shape[1] / rate)
    if waveform.shape[1] < 400:
        raise ValueError("too short")
    return torch.zeros(1, clips_per_video, 1, 4, 4)


class Chat:
    def __init__(self, model, vis_processor, device="cuda:0"):
        self.model, self.vis_processor, self.device = model, vis_processor, device

    def ask(self, text, conv):
        if conv.messages and conv.messages[-1][0] == conv.roles[0]:
            conv.messages[-1][1] += text
        else:
            conv.append_message(conv.roles[0], text)

    def answer(
        self,
        conv,
        img_list,
        max_new_tokens=300,
        num_beams=1,
        min_length=1,
        top_p=0.9,
        repetition_penalty=1.0,
        length_penalty=1,
        temperature=1.0,
        max_length=2000,
    ):
        conv.append_message(conv.roles[1], None)
        embs = self.get_context_emb(conv, img_list)
        embs = embs[:, max(0, embs.shape[1] + max_new_tokens - max_length) :]
        if "forget" in conv.get_prompt():
            embs = embs[:, 25:]
        outputs = self.model.llama_model.generate(
            inputs_embeds=embs,
            max_new_tokens=max_new_tokens,
            num_beams=num_beams,
            do_sample=True,
            min_length=min_length,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            length_penalty=length_penalty,
            temperature=temperature,
        )
        SEEN["prompt"] = conv.get_prompt()
        return json.dumps(SEEN) + "</s>", outputs[0].numpy()

    def upload_video(self, video_path, conv, img_list):
        video = self.frames(video_path)
        try:
            sound = load_and_transform_audio_data([video_path], "cpu", clips_per_video=8)
        except:  # noqa: E722 - as upstream: any failure becomes a prompt without sound
            img_list.append(self.model.encode_videoQformer_visual(video)[0])
            conv.append_message(conv.roles[0], "<Video><ImageHere></Video> ")
            return
        img_list.append(self.model.encode_audioQformer(sound)[0])
        img_list.append(self.model.encode_videoQformer_visual(video)[0])
        conv.append_message(conv.roles[0], "Hear <ImageHere>, see <Video><ImageHere></Video>. ")

    def upload_video_without_audio(self, video_path, conv, img_list):
        img_list.append(self.model.encode_videoQformer_visual(self.frames(video_path))[0])
        conv.append_message(conv.roles[0], "<Video><ImageHere></Video> ")

    def upload_img(self, image, conv, img_list):
        SEEN["image"] = image
        img_list.append(self.model.encode_videoQformer_visual(torch.zeros(1, 3, 1, 4, 4))[0])
        conv.append_message(conv.roles[0], "<Image><ImageHere></Image> ")

    def get_context_emb(self, conv, img_list):
        parts = conv.get_prompt().split("<ImageHere>")
        assert len(parts) == len(img_list) + 1
        embeddings = [
            torch.tensor([[float(ord(c))] * 6 for c in part])[None] for part in parts if part
        ]
        for place, vectors in enumerate(img_list):
            embeddings.insert(2 * place + 1, vectors)
        return torch.cat(embeddings, dim=1)

    def frames(self, path):
        with av.open(path) as file:
            frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        chosen = np.arange(0, len(frames), len(frames) / self.vis_processor.n_frms).astype(int)
        return torch.tensor(np.stack([frames[n] for n in chosen])).permute(3, 0, 1, 2)[None]
