"""A trained network in one file, with all that is needed to use it: `evonas.load` reads it, without a campaign."""

import hashlib
import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import safetensors
import safetensors.torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evonas.campaign import Campaign, SpecError
from evonas.campaign.spec import parse
from evonas.campaign.trained import ABOUT, trained_network
from evonas.network import TrainedNetwork
from evonas.record import Individual
from evonas.tasks import DataError
from evonas.tasks.task import KindName
from genomes.encoding import Phenotype
from genomes.neurons import NeuronGraph
from genomes.reading import MAX_CHARACTERS, read_genome

KEY = "evonas"
MAX_BYTES = 8 << 30
"""Of a file."""
MAX_NAMES = 1_000_000
MAX_DESCRIPTION = 2 * MAX_CHARACTERS
"""Characters of what the file says of its network."""

NAMED_BY_TARGET = ("regression", "behaviour")
"""Kinds of task whose outputs are named by targets, those of the others by classes."""

Side = Annotated[int, Field(ge=1, le=1 << 20)]
Name = Annotated[str, Field(max_length=10_000)]
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_NAMES)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Numbers = Annotated[tuple[Number, ...], Field(max_length=MAX_NAMES)]


class Description(BaseModel):
    """What a file says of its network, beside the tensors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    format: Literal[1] = 1
    campaign: Annotated[str, Field(max_length=1000)]
    individual: Annotated[int, Field(ge=0)]
    encoding: dict[str, Any]
    genome: dict[str, Any]
    kind: KindName
    input_shape: Annotated[tuple[Side, ...], Field(min_length=1, max_length=3)]
    n_outputs: Annotated[int, Field(ge=1, le=MAX_NAMES)]
    classes: Names
    targets: Names
    features: Names
    sha256: Annotated[str, Field(max_length=64)]
    mean: Numbers
    deviation: Numbers
    target_mean: Numbers
    target_deviation: Numbers


def packed(campaign: Campaign, one: Individual) -> bytes:
    """An individual's trained tensors and all that names them, as safetensors bytes.

    Raises:
        StoreError: If its weights were not kept.
    """
    network = campaign.network(one.id).network
    facts = campaign.facts
    described = {
        "format": 1,
        "campaign": campaign.spec.name,
        "individual": one.id,
        "encoding": facts["spec"]["encoding"],
        "genome": json.loads(one.genome),
        **{name: facts[name] for name in ABOUT},
    }
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    described["sha256"] = _sha256(safetensors.torch.save(tensors))
    return safetensors.torch.save(tensors, {KEY: json.dumps(described)})


def load(path: str | Path) -> TrainedNetwork:
    """A trained network from a file that `evonas export weights` wrote, on the CPU and in evaluation mode.

    The file may come from anybody: nothing in it is unpickled or run, and its tensors must be those of its genome.

    Args:
        path: The file.

    Raises:
        DataError: If there is no such file, or it holds no such network.

    Example:
        >>> network = evonas.load("17.safetensors")
        >>> network.predict(images)
    """
    place = Path(path)
    try:
        if not place.is_file():
            raise ValueError("found no file there; check the path")
        if (size := place.stat().st_size) > MAX_BYTES:
            raise ValueError(f"got {size:,} bytes, more than {MAX_BYTES:,}; no network of ours is so large")
        with safetensors.safe_open(place, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            shapes = {name: (tuple(one.get_shape()), one.get_dtype()) for name, one in slices.items()}
        described, phenotype = _described(text)
        _check_tensors(_expected(phenotype, described), shapes)
        data = place.read_bytes()
        if _sha256(data) != described.sha256:
            raise ValueError("got damaged weights; export them again")
        return trained_network(phenotype, described.model_dump(), data)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        reason = " ".join(str(error).split())[:500]
        raise DataError(f"{place}: expected a file that `evonas export weights` wrote, {_got(reason)}") from None


def _sha256(data: bytes) -> str:
    """Hash of the tensors in safetensors bytes, which follow a header whose length comes first."""
    return hashlib.sha256(memoryview(data)[8 + int.from_bytes(data[:8], "little") :]).hexdigest()


def _got(reason: str) -> str:
    return reason if reason.startswith(("got ", "found ")) else f"got another: {reason}"


def _described(text: str | None) -> tuple[Description, Phenotype]:
    if text is None:
        raise ValueError("got tensors that nothing describes; export them with evonas")
    if len(text) > MAX_DESCRIPTION:
        raise ValueError(f"got a description of {len(text):,} characters, more than {MAX_DESCRIPTION:,}")
    try:
        described = Description.model_validate_json(text)
        encoding = parse({"encoding": described.encoding}, source="encoding").encoding
        phenotype = encoding.develop(read_genome(encoding, json.dumps(described.genome)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (SpecError, RecursionError, OverflowError) as error:
        raise ValueError(str(error) or type(error).__name__) from None
    named = len(described.targets if described.kind in NAMED_BY_TARGET else described.classes)
    if named != described.n_outputs:
        raise ValueError(f"got {named} names for {described.n_outputs} outputs; give each its own")
    return described, phenotype


def _expected(phenotype: Phenotype, described: Description) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of a network, by name, before any is made."""
    shape, n_outputs = described.input_shape, described.n_outputs
    if isinstance(phenotype, NeuronGraph):
        phenotype.check(shape, n_outputs)
        return {"weights": (len(phenotype.weights),), "biases": (len(phenotype.biases),)}
    return {one.name: one.shape for one in phenotype.parameters(shape, n_outputs)}


def _check_tensors(shapes: dict[str, tuple[int, ...]], found: dict[str, tuple[tuple[int, ...], str]]) -> None:
    expected = {name: (shape, "F32") for name, shape in shapes.items()}
    if sum(math.prod(shape) for shape, _ in expected.values()) * 4 > MAX_BYTES:
        raise ValueError(f"got a genome of more than {MAX_BYTES:,} bytes of weights")
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ValueError(f"got tensors that are not those of its genome ({name} is missing or differs)")
