"""One image file as an array."""

import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evonas.tasks.task import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
PLAIN = ("1", "L", "RGB", "P", "CMYK", "YCbCr")
WITH_ALPHA = ("LA", "RGBA", "PA")
WIDE = ";16"
"""Part of what Pillow calls the bytes of a picture that it would cut to 8 bits."""
MANY_PICTURES = "MPO"
"""JPEGs of some cameras hold further views of the same picture."""
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError)


def read_image(path: Path, size: tuple[int, int] | None, channels: int) -> npt.NDArray[np.uint8]:
    """An image, `(height, width, channels)`.

    Colours become greys by ITU-R 601 (`L = 0.299 R + 0.587 G + 0.114 B`), greys and palettes colours. What is
    transparent is laid over black. A note on how to turn the picture (EXIF) is not followed.

    Args:
        path: A PNG, JPEG, BMP, GIF, WebP, PPM or TIFF file of one picture.
        size: Height and width to bring it to, by Pillow's bilinear filter, which is antialiased; None for its own.
        channels: 1 or 3.

    Raises:
        DataError: It is damaged or cut short, has more than 8 bits a channel, several pictures or too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
                _check(path, image)
                image.load()
                converted = _converted(image, "L" if channels == 1 else "RGB")
                if size is not None and converted.size != size[::-1]:
                    converted = converted.resize(size[::-1], Image.Resampling.BILINEAR)
                return np.asarray(converted, dtype=np.uint8).reshape(*converted.size[::-1], channels)
    except DataError:
        raise
    except UnidentifiedImageError:
        known = ", ".join(FORMATS)
        raise DataError(f"{path}: expected an image ({known}), got another or a damaged file; save it again") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = Image.MAX_IMAGE_PIXELS
        raise DataError(f"{path}: expected at most {most} pixels, got more; shrink the image") from error
    except (*DAMAGED, zlib.error, struct.error) as error:
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).partition("\n")[0]
        raise DataError(f"{path}: expected an image, got a damaged one ({reason}); save it again") from error


def _check(path: Path, image: "Image") -> None:
    if image.mode not in (*PLAIN, *WITH_ALPHA) or WIDE in str(getattr(image, "tile", "")):
        raise DataError(f"{path}: expected greys or colours of 8 bits, got others ({image.mode}); convert the image")
    if image.format != MANY_PICTURES and getattr(image, "is_animated", False):
        raise DataError(f"{path}: expected one picture, got several in one file; save one of them")


def _converted(image: "Image", mode: str) -> "Image":
    if image.mode in WITH_ALPHA or "transparency" in image.info:
        from PIL import Image

        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    return image.convert(mode)
