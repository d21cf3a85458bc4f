from dataclasses import dataclass

MAX_TEXT_LEN = 512
BROKEN = {}  # what a question says after its words, as JSON


@dataclass
class T5Config:
    emb_dim: int = 1024
    encoder_max_text_length: int = MAX_TEXT_LEN
    decoder_max_text_length: int = MAX_TEXT_LEN


@dataclass
class AudioResamplerConfig:
    latents_size: int = 16


@dataclass
class Config:
    t5_config: T5Config
    audio_history_cfg: AudioResamplerConfig = AudioResamplerConfig()  # noqa: RUF009 - as upstream


LARGE = Config(T5Config())
CONFIG_MAP = {"large": LARGE, "xl": Config(T5Config(emb_dim=2048))}
