from enum import Enum, auto


class SeparatorStyle(Enum):
    TWO = auto()
    Qwen2p5Instruct = auto()


class Conversation:
    def __init__(self, sep="<|im_start|>", sep2="<|im_start|>"):
        self.roles, self.messages = ("user", "bot"), []
        self.sep_style, self.sep, self.sep2 = SeparatorStyle.Qwen2p5Instruct, sep, sep2

    def copy(self):
        return Conversation(self.sep, self.sep2)

    def append_message(self, role, message):
        self.messages.append([role, message])

    def get_prompt(self, modality=None):
        has_image = any(message and "<image>" in message for _, message in self.messages)
        assert modality in (("image", "video") if has_image else ("lang",))
        return f"[{modality}]" + "".join(f"[{role}]{text or ''}" for role, text in self.messages)


conv_templates = {"qwen2p5_instruct": Conversation(), "mixtral_two": Conversation("</s>", "</s>")}
