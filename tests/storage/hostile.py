"""Files that somebody might send, and nobody should fear."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageCms, PngImagePlugin

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
# In pieces, so that no scanner of somebody's checkout finds this file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def saved(picture: Image.Image, format: str = "PNG", **options: object) -> bytes:
    """The picture as a file."""
    into = io.BytesIO()
    picture.save(into, format, **options)
    return into.getvalue()


def small() -> Image.Image:
    """A picture with something to see."""
    return Image.linear_gradient("L").resize((64, 48)).convert("RGB")


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with hardly any pixels in it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_HEAD + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@cache
def bomb() -> bytes:
    """39 megapixels of nothing in 120 kB: as large as is allowed."""
    return saved(Image.new("RGB", (6240, 6240)), optimize=True)


@cache
def busy() -> bytes:
    """A JPEG of 36 megapixels of noise: as much work as there is for so many."""
    return saved(Image.effect_noise((6000, 6000), 90), "JPEG", quality=30)


def scanline_bomb() -> bytes:
    """A small PNG whose pixels unpack to 400 MB that nobody asked for."""
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(400_000_000), 9)
    return PNG_HEAD + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG with compressed text that unpacks to 100 MB."""
    plain = saved(small())
    packed = zlib.compress(bytes(100_000_000), 9)
    return plain[:33] + chunk(b"zTXt", b"Comment\0\0" + packed) + plain[33:]


def animated_webp() -> bytes:
    """10,000 frames, made by repeating one: the container is written by hand."""
    still = saved(Image.new("RGB", (16, 16), "red"), "WEBP", lossless=True)
    frame_data = still[12:]
    size = (16 - 1).to_bytes(3, "little")
    header = bytes(6) + size + size + (40).to_bytes(3, "little") + b"\0"
    frame = b"ANMF" + struct.pack("<I", len(header) + len(frame_data)) + header + frame_data
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x02" + bytes(3) + size + size
    animation = b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body = b"WEBP" + extended + animation + frame * 10_000
    return b"RIFF" + struct.pack("<I", len(body)) + body


def apng() -> bytes:
    """500 frames."""
    frames = [Image.new("RGB", (64, 48), (n % 256, 0, 0)) for n in range(500)]
    return saved(frames[0], save_all=True, append_images=frames[1:], duration=40)


def with_gps() -> bytes:
    """A photo turned by its EXIF, which also tells where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "somebody's camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    return saved(small(), "JPEG", exif=exif, xmp=b"<x:xmpmeta>where it was</x:xmpmeta>", comment=b"a note")


def large_profile(format: str) -> bytes:
    """20 MB of ICC profile, of which sRGB is the beginning."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return saved(small(), format, icc_profile=srgb + os.urandom(20_000_000 - len(srgb)))


def polyglot(before: bytes, after: bytes) -> bytes:
    """Something that is a picture, and something else as well."""
    return before + after


def zipped() -> bytes:
    """A ZIP archive."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    return into.getvalue()


def with_script() -> bytes:
    """A PNG whose text chunk is a page."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>alert(document.domain)</script>")
    return saved(small(), pnginfo=notes)


def cmyk() -> bytes:
    """A JPEG as printers like them."""
    return saved(small().convert("CMYK"), "JPEG")


def sixteen_bit() -> bytes:
    """A PNG with 16 bits of grey."""
    return saved(Image.linear_gradient("L").convert("I;16"))


HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

# What each is → how it is made, and how it ends: READY with this size, or refused with this error.
FILES: dict[str, tuple[Callable[[], bytes], tuple[int, int] | str]] = {
    "a PNG": (lambda: saved(small()), (64, 48)),
    "a JPEG": (lambda: saved(small(), "JPEG"), (64, 48)),
    "a WebP": (lambda: saved(small(), "WEBP"), (64, 48)),
    "a CMYK JPEG": (cmyk, (64, 48)),
    "a PNG of 16 bits": (sixteen_bit, (256, 256)),
    "a header of 40,000 × 40,000 pixels": (lambda: png_header(40_000, 40_000), "ImageTooLargeError"),
    "a header of 7,000 × 7,000 pixels": (lambda: png_header(7_000, 7_000), "ImageTooLargeError"),
    "a header of 2,147,483,647 × 2,147,483,647 pixels": (
        lambda: png_header(2**31 - 1, 2**31 - 1),
        "ImageTooLargeError",
    ),
    "a header of no pixels": (lambda: png_header(0, 10), "ImageUnreadableError"),
    "39 megapixels of nothing in 120 kB": (bomb, (6240, 6240)),
    "64 × 64 pixels that unpack to 400 MB": (scanline_bomb, (64, 64)),
    "text that unpacks to 100 MB": (text_bomb, "ImageUnreadableError"),
    "a WebP of 10,000 frames": (animated_webp, (16, 16)),
    "a PNG of 500 frames": (apng, (64, 48)),
    "a JPEG that tells where it was taken": (with_gps, (48, 64)),
    "a WebP with 20 MB of ICC profile": (lambda: large_profile("WEBP"), (64, 48)),
    "a PNG with 20 MB of ICC profile": (lambda: large_profile("PNG"), "ImageUnreadableError"),
    "half a JPEG": (lambda: saved(Image.effect_noise((640, 480), 50), "JPEG")[:20_000], "ImageUnreadableError"),
    "half a PNG": (lambda: saved(Image.effect_noise((640, 480), 50))[:20_000], "ImageUnreadableError"),
    "HTML": (lambda: HTML, "ImageFormatError"),
    "SVG": (lambda: SVG, "ImageFormatError"),
    "a GIF": (lambda: saved(small().convert("P"), "GIF"), "ImageFormatError"),
    "a TIFF": (lambda: saved(small(), "TIFF"), "ImageFormatError"),
    "a PDF of a picture": (lambda: saved(small(), "PDF"), "ImageFormatError"),
    "a ZIP": (zipped, "ImageFormatError"),
    "a PNG that is also a ZIP": (lambda: polyglot(saved(small()), zipped()), (64, 48)),
    "a JPEG that is also HTML": (lambda: polyglot(saved(small(), "JPEG"), HTML), (64, 48)),
    "a PNG with a script in its text": (with_script, (64, 48)),
    "the head of a PNG, then HTML": (lambda: PNG_HEAD + HTML, "ImageUnreadableError"),
    "the head of a WebP, then noise": (lambda: b"RIFF\x10\0\0\0WEBPVP8 " + bytes(100), "ImageUnreadableError"),
    "nothing but zeros": (lambda: bytes(1000), "ImageFormatError"),
    "EICAR": (lambda: EICAR, "ImageFormatError"),
}
