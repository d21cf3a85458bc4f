import re

from vita.constants import AUDIO_TOKEN_INDEX, IMAGE_TOKEN_INDEX


def tokenizer_image_audio_token(
    prompt,
    tokenizer,
    image_token_index=IMAGE_TOKEN_INDEX,
    audio_token_index=AUDIO_TOKEN_INDEX,
    return_tensors=None,
):
    assert return_tensors is None
    ids = []
    for chunk in re.split(r"(<audio>|<image>)", prompt):
        tags = {"<audio>": [audio_token_index], "<image>": [image_token_index]}
        ids += tags.get(chunk) or tokenizer(chunk).input_ids
    return ids


class KeywordsStoppingCriteria:
    def __init__(self, keywords, tokenizer, input_ids):
        self.keywords = keywords
