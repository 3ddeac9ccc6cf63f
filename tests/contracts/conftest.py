"""What the suites of encodings share."""

import pytest

from tests.contracts.test_encodings import ENCODINGS, Case


@pytest.fixture(params=ENCODINGS, ids=[name for name, _, _ in ENCODINGS])
def case(request: pytest.FixtureRequest) -> Case:
    _, encoding, input_shape = request.param
    return encoding.for_task(input_shape, 7), input_shape
