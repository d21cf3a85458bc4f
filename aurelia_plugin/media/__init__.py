"""Media: what a clip is, and the only code of this package that decodes video, sound and images.

Only the light value types are re-exported here; `video`, `audio` and `content` load PyAV and are
imported by name where they are needed.
"""

from __future__ import annotations

from aurelia_plugin.media.clip import Clip, Frames, Media, MediaKind, Waveform

__all__ = ["Clip", "Frames", "Media", "MediaKind", "Waveform"]
