"""What upstream's evaluation on MSVD-QA does with a video, greedy."""

OPTIONS = {"media": "video"}
SOUND = False


def noting(system):
    noted = []
    layer = system._model.llma.layers[0]

    def note(_module, given, _made):
        if given[0].shape[1] > 1:
            noted.append(given[0])

    layer.register_forward_hook(note)
    return noted


def theirs(system, video, sound, question):
    from data import video_utils
    from data.conversation_lib import conv_templates

    frames = video_utils.load_and_transform_video_data(
        video, video, clip_duration=1, clips_per_video=5
    )[:, :, 0]
    talk = conv_templates["v1"].copy()
    talk.append_message(talk.roles[0], question)
    talk.append_message(talk.roles[1], None)
    prompt = talk.get_prompt()
    (reply,) = system._model.generate([prompt], frames[None], 6, temperature=0, modal=["video"])
    whole = system._model.tokenizer.encode(prompt, bos=True, eos=False)
    start = len(system._model.tokenizer.decode(whole))
    return reply[start:].split("###")[0].strip()
