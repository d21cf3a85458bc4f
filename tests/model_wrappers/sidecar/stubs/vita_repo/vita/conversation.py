class Conversation:
    def __init__(self):
        self.roles, self.messages, self.sep = ("user", "bot"), [], "<|im_start|>"

    def copy(self):
        return Conversation()

    def append_message(self, role, message):
        self.messages.append([role, message])

    def get_prompt(self, modality=None):
        has_image = any(message and "<image>" in message for _, message in self.messages)
        assert modality in (("image", "video") if has_image else ("lang",))
        return f"[{modality}]" + "".join(f"[{role}]{text or ''}" for role, text in self.messages)


conv_templates = {"qwen2p5_instruct": Conversation()}
