"""Stands in for the parts of the real library that AnyGPT's parts come from."""

from infer.cli_infer_chat_model import SEEN, Llama, Tokenizer


class _Loaded:
    @classmethod
    def from_pretrained(cls, folder, **named):
        SEEN[cls.__name__] = folder
        return cls()


class EncodecFeatureExtractor(_Loaded):
    pass


class EncodecModel(_Loaded):
    def to(self, device):
        return self

    def eval(self):
        return self


class LlamaForCausalLM(Llama, _Loaded):
    pass


class LlamaTokenizer(Tokenizer, _Loaded):
    pass
