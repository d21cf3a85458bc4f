class Conversation:
    roles = ("Human", "Assistant")

    def __init__(self):
        self.messages = []

    def copy(self):
        return Conversation()

    def append_message(self, role, message):
        self.messages.append((role, message))

    def get_prompt(self):
        return "".join(f"###{role}:{text or ''}" for role, text in self.messages)


conv_templates = {"v1": Conversation()}
