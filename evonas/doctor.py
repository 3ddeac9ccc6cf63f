"""What evonas finds on this machine: what decides results and speed."""

import os
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from evonas.evaluation.inline import device

LIBRARIES = ("evonas", "torch", "numpy", "deap", "scikit-learn", "safetensors")


def examine() -> dict[str, Any]:
    """Versions, processors, devices, and how long the disk takes to make a write durable (milliseconds)."""
    found: dict[str, Any] = {name: metadata.version(name) for name in LIBRARIES}
    affinity = getattr(os, "sched_getaffinity", None)
    found["cores"] = len(affinity(0)) if affinity else os.cpu_count()
    found["torch threads by default"] = torch.get_num_threads()
    chosen = device("auto")
    found["device"] = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else "cpu"
    found["bfloat16"] = (
        "on the GPU" if chosen.type == "cuda" and torch.cuda.is_bf16_supported() else "off unless asked for"
    )
    found["durable write here, ms"] = _fsync_milliseconds()
    return found


def _fsync_milliseconds(n: int = 20) -> float:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as place, (Path(place) / "probe").open("wb") as file:
        began = time.perf_counter()
        for _ in range(n):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - began) / n * 1e3
