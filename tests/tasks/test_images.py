"""Folders of images: what is read, how it is converted, and what is refused by name."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evonas.tasks import DataError, Images, Task
from evonas.tasks.image import read_image


def picture(seed: int, *, mode: str = "RGB", size: tuple[int, int] = (6, 5)) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(256, size=(size[1], size[0], 3), dtype=np.uint8)).convert(mode)


def folder(root: Path, classes: str = "ab", n: int = 5, **fields: Any) -> Path:
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for seed in range(n):
            picture(100 * number + seed, **fields).save(root / name / f"{seed}.png")
    return root


def refused(root: Path, **fields: Any) -> str:
    with pytest.raises(DataError) as caught:
        Images(path=str(root), **fields).load()
    assert str(caught.value).isprintable()
    return str(caught.value)


def raw(task: Task, part: str) -> np.ndarray:
    shape = (-1, 1, 1)
    values = getattr(task, part).inputs * np.reshape(task.deviation, shape) + np.reshape(task.mean, shape)
    return np.rint(values).astype(np.uint8)


def test_classes_are_numbered_by_name_and_pixels_kept(tmp_path: Path) -> None:
    folder(tmp_path, "bca")
    task = Images(path=str(tmp_path)).load()
    assert (task.classes, task.input_shape) == (("a", "b", "c"), (3, 5, 6))
    assert [len(part) for part in (task.train, task.validation, task.test)] == [9, 3, 3]
    known = {
        np.asarray(Image.open(path)).transpose(2, 0, 1).tobytes(): path.parent.name for path in tmp_path.glob("*/*")
    }
    for part in ("train", "validation", "test"):
        found = [known.pop(image.tobytes()) for image in raw(task, part)]
        assert found == [task.classes[code] for code in getattr(task, part).targets]
    assert known == {}


def test_a_folder_of_many_files_has_one_hash(tmp_path: Path) -> None:
    folder(tmp_path, n=15)
    (name,) = Images(path=str(tmp_path)).load().files
    assert name == "30 files"


@pytest.mark.parametrize("parts", [("train",), ("train", "test"), ("train", "val"), ("train", "validation", "test")])
def test_parts_with_folders_of_their_own(parts: tuple[str, ...], tmp_path: Path) -> None:
    for number, part in enumerate(parts):
        for name in "ab":
            (tmp_path / part / name).mkdir(parents=True)
            for seed in range(10 - 3 * number):
                Image.new("RGB", (2, 2), (100 * number + seed, 0, 0)).save(tmp_path / part / name / f"{seed}.png")
    task = Images(path=str(tmp_path)).load()
    sizes = [len(part) for part in (task.train, task.validation, task.test)]
    expected = {
        ("train",): [12, 4, 4],
        ("train", "test"): [16, 4, 14],
        ("train", "val"): [16, 14, 4],
        ("train", "validation", "test"): [20, 14, 8],
    }
    assert sizes == expected[parts]
    first = {part: set((raw(task, part)[:, 0, 0, 0] // 100).tolist()) for part in ("train", "validation", "test")}
    assert first["train"] == {0}
    assert first["test"] == {parts.index("test") if "test" in parts else 0}
    assert first["validation"] == {1 if len(parts) > 1 and parts[1].startswith("val") else 0}


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    folder(tmp_path / "x")
    (tmp_path / "x" / "a").rename(tmp_path / "x" / "train")
    assert Images(path=str(tmp_path / "x")).load().classes == ("b", "train")


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [("png", "1"), ("png", "L"), ("png", "P"), ("png", "RGBA"), ("jpg", "L"), ("jpeg", "CMYK"), ("bmp", "RGB")]
    + [("gif", "P"), ("webp", "RGB"), ("ppm", "RGB"), ("pgm", "L"), ("tif", "RGB"), ("PNG", "LA")],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_and_format(suffix: str, mode: str, channels: int, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    picture(0, mode=mode).save(path)
    found = read_image(path, None, channels)
    assert (found.shape, found.dtype) == ((5, 6, channels), np.uint8)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    np.testing.assert_array_equal(found, expected.reshape(found.shape))


def test_what_is_transparent_is_laid_over_black(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (200, 100, 50, 51)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", None, 3)[0, 0].tolist() == [40, 20, 10]
    image = Image.new("P", (2, 2), 0)
    image.putpalette([200, 100, 50])
    image.save(tmp_path / "b.png", transparency=0)
    assert read_image(tmp_path / "b.png", None, 3)[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("size", "shape"), [(4, (4, 4)), ((3, 8), (3, 8))])
def test_images_of_several_sizes_are_resized(size: Any, shape: tuple[int, int], tmp_path: Path) -> None:
    folder(tmp_path)
    picture(0, size=(9, 9)).save(tmp_path / "b" / "7.png")
    assert Images(path=str(tmp_path), size=size, channels=1).load().input_shape == (1, *shape)
    message = refused(tmp_path)
    assert message.startswith(f"{tmp_path / 'b' / '7.png'}: expected 5x6 pixels as of")
    assert "got 9x9; set size" in message


def test_shrinking_averages(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(64, 64), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", (8, 8), 1).std() < pixels.std() / 4


def test_hidden_files_and_those_beside_the_classes_are_left_out(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "a" / ".DS_Store").write_text("x")
    (tmp_path / "a" / "Thumbs.db").write_text("x")
    (tmp_path / "a" / "more").mkdir()
    picture(9).save(tmp_path / "a" / "more" / "9.png")
    task = Images(path=str(tmp_path)).load()
    assert sum(len(part) for part in (task.train, task.validation, task.test)) == 11


def test_what_is_no_image_of_a_class_is_named(tmp_path: Path) -> None:
    root = folder(tmp_path / "x")
    (root / "a" / "notes.txt").write_text("x")
    assert f"{root / 'a' / 'notes.txt'}: expected an image (.png" in refused(root)


def animated(path: Path) -> None:
    picture(0).save(path, save_all=True, append_images=[picture(1)])


def wide_grey(path: Path) -> None:
    Image.fromarray(np.arange(30, dtype=np.uint16).reshape(5, 6)).save(path)


def wide_colour(path: Path) -> None:
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress((b"\0" + bytes(36)) * 5)
    head = struct.pack(">IIBBBBB", 6, 5, 16, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def huge(path: Path) -> None:
    import struct
    import zlib

    wide_colour(path)
    data = bytearray(path.read_bytes())
    data[16:29] = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


def cut(path: Path) -> None:
    picture(0, size=(60, 50)).save(path)
    path.write_bytes(path.read_bytes()[:300])


def corrupt(path: Path) -> None:
    picture(0, size=(60, 50)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes(200) + data[300:])


@pytest.mark.parametrize(
    ("name", "make", "expected"),
    [
        ("x.gif", animated, "expected one picture"),
        ("x.png", wide_grey, "expected greys or colours of 8 bits, got others (I;16)"),
        ("x.png", wide_colour, "expected greys or colours of 8 bits"),
        ("x.tif", lambda path: picture(0).convert("F").save(path), "got others (F)"),
        ("x.png", huge, "expected at most"),
        ("x.png", cut, "damaged one"),
        ("x.jpg", cut, "damaged one"),
        ("x.png", corrupt, "damaged one"),
        ("x.png", lambda path: path.write_bytes(b""), "another or a damaged file"),
        ("x.png", lambda path: path.write_text("hello"), "another or a damaged file"),
        ("x.png", lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "another or a"),
    ],
)
def test_an_image_that_cannot_be_used_is_named(name: str, make: Any, expected: str, tmp_path: Path) -> None:
    root = folder(tmp_path / "x", size=(60, 50))
    make(root / "b" / name)
    message = refused(root)
    assert message.startswith(f"{root / 'b' / name}: ")
    assert expected in message


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    root = folder(tmp_path / "x")
    (root / "a" / "again").symlink_to(root)
    assert "got a link to one, which is not followed" in refused(root)
    (root / "a" / "again").unlink()
    (root / "a" / "linked.png").symlink_to(root / "b" / "0.png")
    assert len(Images(path=str(root)).load().train) == 7
    (root / "a" / "broken.png").symlink_to(root / "nothing.png")
    assert "broken.png" in refused(root)


def test_a_folder_in_place_of_an_image_holds_no_image(tmp_path: Path) -> None:
    root = folder(tmp_path / "x")
    (root / "a" / "dir.png").mkdir()
    assert len(Images(path=str(root)).load().train) == 6


def test_folders_that_make_no_task(tmp_path: Path) -> None:
    assert "found nothing there" in refused(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    assert "found a file" in refused(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert "a folder of images for every class, found none" in refused(tmp_path / "empty")
    root = folder(tmp_path / "one", "a")
    assert "at least two classes, got only 'a'" in refused(root)
    (root / "b").mkdir()
    assert f"{root / 'b'}: expected images of a class, got none" in refused(root)
    picture(0).save(root / "b" / "0.png")
    assert "1 of class 'b'" in refused(root)
    bad = folder(tmp_path / "names")
    (bad / "a\nb").mkdir()
    assert "printable" in refused(bad)


def test_parts_that_make_no_task(tmp_path: Path) -> None:
    root = tmp_path / "x"
    folder(root / "train", "ab", 1)
    folder(root / "test", "ab", 1)
    assert "train: expected at least 2 images of every class, got 1 of a" in refused(root)
    folder(root / "val", "abc", 1)
    assert "train: expected at least 1 images of every class, got 0 of c" in refused(root)
    (root / "validation").mkdir()
    assert "expected one folder of validation images" in refused(root)
    (root / "validation").rmdir()
    for path in (root / "test").rglob("*.png"):
        path.unlink()
    assert "expected images of a class, got none" in refused(root)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_image_without_permission(tmp_path: Path) -> None:
    root = folder(tmp_path / "x")
    (root / "a" / "0.png").chmod(0)
    assert "Permission denied" in refused(root)
