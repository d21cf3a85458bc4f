"""Containers and codecs, each as ffmpeg writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .kinds import Expected, OddFile
from .reference import ffmpeg

__all__ = ["containers", "pictures_alone", "sounds"]

_X264 = "-c:v libx264 -pix_fmt yuv420p"
_SILENT = Expected(sound=False)

_VIDEOS = {
    "h264_aac.mp4": f"{_X264} -c:a aac",
    "fragmented.mp4": f"{_X264} -c:a aac -movflags frag_keyframe+empty_moov",
    "faststart.mp4": f"{_X264} -c:a aac -movflags faststart",
    "bframes.mp4": f"{_X264} -bf 3 -c:a aac",
    "hevc.mp4": "-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p -c:a aac",
    "av1.mp4": "-c:v libaom-av1 -cpu-used 8 -crf 30 -c:a aac",
    "mpeg4.mp4": "-c:v mpeg4 -q:v 3 -c:a aac",
    "mp3_in.mp4": f"{_X264} -c:a libmp3lame",
    "opus_in.mp4": f"{_X264} -c:a libopus",
    "flac_in.mp4": f"{_X264} -c:a flac -strict -2",
    "ac3_in.mp4": f"{_X264} -c:a ac3",
    "alac_in.mov": f"{_X264} -c:a alac",
    "prores.mov": "-c:v prores_ks -c:a pcm_s16le",
    "mjpeg.mov": "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p -c:a pcm_s24le",
    "dnxhr.mov": "-s 640x480 -c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p -c:a pcm_s16be",
    "qtrle.mov": "-c:v qtrle -pix_fmt rgb24 -c:a pcm_s16be",
    "ffv1_flac.mkv": "-c:v ffv1 -c:a flac",
    "h264_vorbis.mkv": f"{_X264} -c:a libvorbis",
    "h264_eac3.mkv": f"{_X264} -c:a eac3",
    "h264_dts.mkv": f"{_X264} -c:a dca -strict -2",
    "h264_pcm_f32.mkv": f"{_X264} -c:a pcm_f32le",
    "truehd.mkv": f"{_X264} -c:a truehd -strict -2",
    "vp8_vorbis.webm": "-c:v libvpx -b:v 1M -c:a libvorbis",
    "vp9_opus.webm": "-c:v libvpx-vp9 -b:v 1M -deadline realtime -cpu-used 8 -c:a libopus",
    "live.webm": "-c:v libvpx -b:v 1M -deadline realtime -c:a libopus -live 1",
    "mpeg4_mp3.avi": "-c:v mpeg4 -q:v 3 -c:a libmp3lame",
    "xvid_ac3.avi": "-c:v libxvid -q:v 3 -c:a ac3",
    "h264_pcm.avi": f"{_X264} -c:a pcm_s16le",
    "bframes.avi": "-c:v mpeg4 -bf 2 -q:v 3 -c:a libmp3lame",
    "raw_rgb.avi": "-c:v rawvideo -pix_fmt bgr24 -c:a pcm_u8",
    "huffyuv.avi": "-c:v huffyuv -c:a pcm_s16le",
    "mjpeg.avi": "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p -c:a adpcm_ms",
    "h264_aac.ts": f"{_X264} -c:a aac",
    "mpeg2_mp2.ts": "-c:v mpeg2video -q:v 3 -c:a mp2",
    "hevc_ac3.ts": "-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p -c:a ac3",
    "bluray.m2ts": f"{_X264} -c:a ac3 -mpegts_m2ts_mode 1",
    "mpeg1.mpg": "-c:v mpeg1video -q:v 3 -c:a mp2",
    "mpeg2.mpg": "-c:v mpeg2video -q:v 3 -c:a mp2 -f vob",
    "dvd.vob": "-c:v mpeg2video -q:v 3 -c:a ac3",
    "flv1_mp3.flv": "-c:v flv -q:v 3 -c:a libmp3lame -ar 44100",
    "h264_aac.flv": f"{_X264} -c:a aac",
    "adpcm.flv": "-c:v flv -q:v 3 -c:a adpcm_swf -ar 22050",
    "flash.swf": "-c:v flv -q:v 3 -c:a libmp3lame -ar 44100",
    "wmv2.wmv": "-c:v wmv2 -q:v 3 -c:a wmav2",
    "wmv1.asf": "-c:v wmv1 -q:v 3 -c:a wmav1",
    "theora.ogv": "-c:v libtheora -q:v 8 -c:a libvorbis",
    "theora_opus.ogg": "-c:v libtheora -q:v 8 -c:a libopus",
    "h263.3gp": "-s 352x288 -c:v h263 -q:v 3 -c:a aac",
    "h264.3g2": f"{_X264} -c:a aac",
    "mpeg2.mxf": "-c:v mpeg2video -q:v 2 -c:a pcm_s16le",
    "d10.mxf": "-c:v mpeg2video -q:v 2 -c:a pcm_s24le",
    "h264.nut": f"{_X264} -c:a libvorbis",
    "dv.dv": "-s 720x576 -r 25 -c:v dvvideo -pix_fmt yuv420p -c:a pcm_s16le -ac 2",
    "dv.avi": "-s 720x576 -r 25 -c:v dvvideo -pix_fmt yuv420p -c:a pcm_s16le -ac 2",
    "real.rm": "-s 352x288 -c:v rv10 -q:v 3 -c:a ac3",
    "msmpeg4.avi": "-c:v msmpeg4v2 -q:v 3 -c:a adpcm_ima_wav",
    "ten_bits.mkv": "-c:v libx264 -pix_fmt yuv420p10le -c:a aac",
    "yuv444.mp4": "-c:v libx264 -pix_fmt yuv444p -c:a aac",
    "yuv422.mkv": "-c:v libx264 -pix_fmt yuv422p -c:a aac",
    "full_range.mp4": "-vf scale=out_range=full -c:v libx264 -pix_fmt yuvj420p -c:a aac",
    "one_key.mp4": f"{_X264} -g 9999 -c:a aac",
    "all_keys.mp4": f"{_X264} -g 1 -c:a aac",
    "odd_rate.mp4": f"{_X264} -c:a aac -ar 11025",
    "rate_96k.mkv": f"{_X264} -c:a flac -ar 96000",
    "odd_size.mkv": "-vf scale=321:241 -c:v ffv1 -c:a flac",
    "tiny.mkv": "-vf scale=16:16 -c:v ffv1 -c:a flac",
    "ntsc_rate.mp4": f"-r 30000/1001 {_X264} -c:a aac",
    "one_a_second.mp4": f"-r 1 {_X264} -c:a aac",
}

_ALONE = {
    "raw.h264": f"{_X264} -an -f h264",
    "raw_bframes.264": f"{_X264} -bf 3 -an -f h264",
    "raw.hevc": "-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p -an -f hevc",
    "raw.m1v": "-c:v mpeg1video -q:v 3 -an -f mpeg1video",
    "raw.m2v": "-c:v mpeg2video -q:v 3 -an -f mpeg2video",
    "raw.m4v": "-c:v mpeg4 -q:v 3 -an -f m4v",
    "raw.mjpeg": "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p -an -f mjpeg",
    "raw.y4m": "-pix_fmt yuv420p -an -f yuv4mpegpipe",
    "raw.ivf": "-c:v libvpx -b:v 1M -an -f ivf",
    "raw.obu": "-c:v libaom-av1 -cpu-used 8 -crf 30 -an -f obu",
    "animated.gif": "-an",
    "animated.png": "-an -f apng -plays 1",
    "animated.apng": "-an -f apng",
    "silent.mp4": f"{_X264} -an",
    "silent.webm": "-c:v libvpx -b:v 1M -an",
    "silent.flv": "-c:v flv -q:v 3 -an",
    "silent.mpg": "-c:v mpeg1video -q:v 3 -an",
    "silent.ts": f"{_X264} -an",
    "silent.swf": "-c:v flv -q:v 3 -an",
}

_SOUNDS = {
    "pcm16.wav": "-c:a pcm_s16le",
    "pcm24.wav": "-c:a pcm_s24le",
    "pcm32.wav": "-c:a pcm_s32le",
    "float.wav": "-c:a pcm_f32le",
    "double.wav": "-c:a pcm_f64le",
    "unsigned.wav": "-c:a pcm_u8",
    "alaw.wav": "-c:a pcm_alaw",
    "mulaw.wav": "-c:a pcm_mulaw",
    "adpcm.wav": "-c:a adpcm_ms",
    "big.w64": "-f w64",
    "big.rf64": "-rf64 always -f wav",
    "apple.aiff": "",
    "apple.caf": "",
    "next.au": "",
    "creative.voc": "-c:a pcm_s16le",
    "vbr.mp3": "-q:a 2",
    "cbr.mp3": "-b:a 128k",
    "layer2.mp2": "-b:a 192k",
    "adts.aac": "-c:a aac",
    "lossy.m4a": "-c:a aac",
    "lossless.m4a": "-c:a alac",
    "book.m4b": "-c:a aac -f ipod",
    "vorbis.ogg": "-c:a libvorbis",
    "opus.opus": "-c:a libopus",
    "flac.flac": "",
    "flac.oga": "-c:a flac -f ogg",
    "speex.spx": "-c:a libspeex -ar 32000 -q:a 10",
    "dolby.ac3": "",
    "dolby.eac3": "",
    "dts.dts": "-c:a dca -strict -2",
    "true.thd": "-c:a truehd -strict -2",
    "wma.wma": "-c:a wmav2",
    "wave.wv": "-c:a wavpack",
    "true.tta": "",
    "matroska.mka": "-c:a libopus",
    "sound.webm": "-c:a libopus",
    "sound.mp4": "-c:a aac",
    "sound.flv": "-c:a libmp3lame -ar 44100",
    "sound.mpg": "-c:a mp2",
    "sound.ts": "-c:a aac",
    "sox.sox": "",
    "gsm.gsm": "-c:a libgsm -ar 8000",
    "sound.nut": "-c:a flac",
    "sound.avi": "-c:a pcm_s16le",
    "adx.adx": "-c:a adpcm_adx",
}
# Of these only a part of the spectrum comes back.
_COARSE = frozenset({"gsm.gsm", "speex.spx", "adpcm.wav", "adpcm.flv", "unsigned.wav"})


# Without an edit list the sound begins with its priming, and both are later by two pictures; ffmpeg
# ends Theora three pictures early, and rounds one picture a second up to six.
_EXPECTED = {
    "fragmented.mp4": Expected(begins=0.08),
    "theora.ogv": Expected(seconds=3.88),
    "theora_opus.ogg": Expected(seconds=3.88),
    "one_a_second.mp4": Expected(seconds=6.0),
}


def _from_clip(options: str, source: str = "clip.mkv") -> tuple[str, ...]:
    return ("-i", source, *options.split())


def containers() -> Iterator[OddFile]:
    """Yield videos with sound."""
    for name, options in _VIDEOS.items():

        def make(folder: Path, name: str, options: str = options) -> None:
            ffmpeg(*_from_clip(options), name, folder=folder)

        expected = _EXPECTED.get(name, Expected())
        yield OddFile(name, "video", make, expected, coarse=name in _COARSE)


def pictures_alone() -> Iterator[OddFile]:
    """Yield videos without sound."""
    for name, options in _ALONE.items():

        def make(folder: Path, name: str, options: str = options) -> None:
            ffmpeg(*_from_clip(options), name, folder=folder)

        yield OddFile(name, "video alone", make, _SILENT)


def sounds() -> Iterator[OddFile]:
    """Yield sounds."""
    for name, options in _SOUNDS.items():

        def make(folder: Path, name: str, options: str = options) -> None:
            ffmpeg(*_from_clip(options, "sound.wav"), name, folder=folder)

        # FFmpeg 7.1's own decoder makes two samples of each that this Speex file holds.
        refused = Expected(None, None, "", sound=False)
        expected = refused if name == "speex.spx" else Expected("audio", corners="")
        yield OddFile(name, "sound", make, expected, coarse=name in _COARSE)
