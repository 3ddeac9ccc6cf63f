"""A trained network as a program that runs without evonas: torch's own, and ONNX."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator

import torch

from evonas.campaign import Campaign, SpecError
from evonas.network import TrainedNetwork
from evonas.record import Individual

INPUT, OUTPUT = "input", "output"
"""What the two ends of an ONNX program are called."""


class MissingError(SpecError):
    """A library that an export needs is not installed."""


def pt2(campaign: Campaign, one: Individual) -> bytes:
    """The trained network for raw inputs, with any batch size, as `torch.export.load` reads it.

    Raises:
        StoreError: If its weights were not kept.
        SpecError: If torch cannot export it; a recurrent network is none that it can.
    """
    network = campaign.network(one.id)
    file = io.BytesIO()
    with _quiet():
        torch.export.save(exported(network), file, extra_files=described(network))
    return file.getvalue()


def onnx(campaign: Campaign, one: Individual) -> bytes:
    """The trained network for raw inputs, with any batch size, as an ONNX model: `input` float32, then `output`.

    Raises:
        MissingError: If onnx or onnxscript is not installed.
        StoreError: If its weights were not kept.
        SpecError: If torch cannot export it; a recurrent network is none that it can.
    """
    network = campaign.network(one.id)
    return onnx_of(network)


def onnx_of(network: TrainedNetwork) -> bytes:
    """A trained network as an ONNX model; errors as in `onnx`."""
    try:
        import onnx as library
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingError(
            f"onnx: expected onnx and onnxscript, found no {error.name}; install them with: pip install evonas[onnx]"
        ) from None
    _check_stateless(network)
    with _quiet(), _exporting():
        program = torch.onnx.export(
            network,
            (torch.zeros(2, *network.input_shape),),
            dynamo=True,
            verbose=False,
            dynamic_shapes={"inputs": {0: "batch"}},
            input_names=[INPUT],
            output_names=[OUTPUT],
        )
    assert program is not None
    proto = program.model_proto
    library.helper.set_model_props(proto, described(network))
    library.checker.check_model(proto)
    return bytes(proto.SerializeToString())


def described(network: TrainedNetwork) -> dict[str, str]:
    """What a program's numbers mean, as its metadata hold it: `kind`, and `classes` or `targets` and the
    `features` of a table as JSON lists."""
    words = {name: getattr(network, name) for name in ("classes", "targets", "features")}
    return {"kind": network.kind} | {name: json.dumps(value) for name, value in words.items() if value}


def exported(network: TrainedNetwork) -> torch.export.ExportedProgram:
    """The network as torch traces it, with any batch size.

    Raises:
        SpecError: If torch cannot trace it.
    """
    _check_stateless(network)
    with _exporting():
        return torch.export.export(
            network,
            (torch.zeros(2, *network.input_shape),),
            dynamic_shapes={"inputs": {0: torch.export.Dim("batch", min=1)}},
        )


def _check_stateless(network: TrainedNetwork) -> None:
    if network.network.recurrent:
        raise SpecError(
            "expected a network without a state, got one that goes step by step, whose loop over time no program "
            "holds; export its weights"
        )


@contextlib.contextmanager
def _exporting() -> Iterator[None]:
    """What torch cannot export is an error of one line."""
    try:
        yield
    except (RuntimeError, torch._dynamo.exc.TorchDynamoException) as error:
        reason = str(error).strip().partition("\n")[0]
        raise SpecError(f"expected a network that torch can export, got an error: {reason}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter tells of its own progress and of its own libraries."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    silence = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    try:
        with warnings.catch_warnings(), silence[0], silence[1]:
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
