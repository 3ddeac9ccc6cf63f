"""The network of another campaign that candidates begin with: a copy beside the record, which needs nothing else."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evonas.campaign.spec import SpecError, parse
from evonas.campaign.store import DamagedError, write_durably
from evonas.evaluation.evaluator import Legacy
from evonas.record import SOURCE
from genomes.architecture import Architecture
from genomes.reading import read_genome

DESCRIPTION, TENSORS = "source.json", "source.safetensors"


@dataclass(frozen=True)
class Source:
    """A trained network and all that names its tensors.

    Attributes:
        campaign: Name of the campaign it was trained in.
        individual: Its number there.
        encoding: The encoding that developed it, as in a spec.
        genome: Its genome as JSON values.
        input_shape: Of the inputs it was trained on, `(channels, height, width)` or `(features,)`.
        n_outputs: Outputs it was trained for.
        weights_sha256: Hash of its weights.
    """

    campaign: str
    individual: int
    encoding: Mapping[str, Any]
    genome: Mapping[str, Any]
    input_shape: tuple[int, ...]
    n_outputs: int
    weights_sha256: str

    @property
    def text(self) -> str:
        """What is written of it."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @property
    def sha256(self) -> str:
        """Hash of what is written of it, which holds the hash of the weights: one value vouches for both files."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def write(directory: Path, source: Source, weights: bytes) -> None:
    """Put a source into a campaign's directory; durable on return.

    Args:
        directory: Made where it is missing.
        source: Describes it.
        weights: Its trained tensors as safetensors bytes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write_durably(directory / TENSORS, weights)
    write_durably(directory / DESCRIPTION, source.text.encode())


def read(directory: Path, sha256: str) -> Legacy:
    """What the source in a campaign's directory leaves.

    Args:
        directory: The campaign's.
        sha256: Hash of the source, which the campaign's spec holds.

    Raises:
        DamagedError: If a file is missing or not the one that was written.
    """
    data = json.loads(_checked(directory / DESCRIPTION, sha256))
    weights = _checked(directory / TENSORS, data["weights_sha256"])
    try:
        encoding = parse({"encoding": data["encoding"]}).encoding
        genome = read_genome(encoding, json.dumps(data["genome"]))
    except (SpecError, ValueError) as error:
        raise DamagedError(
            f"{directory / DESCRIPTION}: expected a genome that this version can read, got an error: {error}"
        ) from None
    architecture = encoding.develop(genome)
    assert isinstance(architecture, Architecture)
    return Legacy(SOURCE, genome, weights, architecture, tuple(data["input_shape"]), int(data["n_outputs"]))


def damage(directory: Path, sha256: str) -> list[str]:
    """What is wrong with the source in a campaign's directory, one line each; arguments as in `read`."""
    try:
        read(directory, sha256)
    except DamagedError as error:
        return [str(error)]
    return []


def _checked(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError:
        raise DamagedError(
            f"{path}: expected the network that candidates begin with, found none; put back a copy"
        ) from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DamagedError(f"{path}: expected the recorded content, got another; put back a copy")
    return data
