"""Messages of gRPC: their bytes on the wire, and the same values as over HTTP in either form."""

import math
import struct

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgewright.edge_runtime.api.open_inference import Inferred
from edgewright.edge_runtime.api.tensors import read_images, read_values
from edgewright.edge_runtime.grpc_api.conversions import read_request, write_model, write_response
from edgewright.edge_runtime.grpc_api.messages import message_classes
from edgewright.tools.contracts.views import ModelView
from edgewright.tools.errors import InputError

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
#: Batches of samples of shape [3, H, W].
BATCHES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.just(3), st.integers(1, 5), st.integers(1, 5)),
    elements=FINITE,
)
ELEMENTS = st.lists(st.binary(max_size=200), min_size=1, max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
PARAMETERS = st.dictionaries(
    TEXT,
    st.one_of(
        st.builds(lambda v: {"bool_param": v}, st.booleans()),
        st.builds(lambda v: {"int64_param": v}, st.integers(-(2**63), 2**63 - 1)),
        st.builds(lambda v: {"string_param": v}, TEXT),
        st.builds(lambda v: {"double_param": v}, st.floats()),
        st.builds(lambda v: {"uint64_param": v}, st.integers(0, 2**64 - 1)),
        st.just({}),
    ),
    max_size=4,
)


def request(*, raw=(), contents=None, parameters=None, outputs=(), **tensor):
    """Return a request for inference, as it arrives."""
    tensor = {"name": "input", "datatype": "FP32", "shape": [1], **tensor}
    fields = {
        "model_name": "m",
        "id": "7",
        "inputs": [{**tensor, "contents": contents or {}}],
        "outputs": [{"name": name} for name in outputs],
        "raw_input_contents": list(raw),
        "parameters": parameters or {},
    }
    made = message_classes()["ModelInferRequest"](**fields)
    arrived = message_classes()["ModelInferRequest"]()
    arrived.ParseFromString(made.SerializeToString())
    return arrived


def field(number, content):
    """Return a field of the wire type of texts, bytes and messages."""
    return bytes([number << 3 | 2, len(content)]) + content


def test_a_request_has_the_bytes_of_the_public_protocol():
    parameter = field(1, b"timeout") + field(2, b"\x10\x05")  # int64_param = 5
    tensor = field(1, b"input") + field(2, b"FP32") + field(3, b"\x01\x02")
    wire = b"".join(
        [
            *(field(1, b"m"), field(2, b"v"), field(3, b"7"), field(4, parameter)),
            *(field(5, tensor), field(6, field(1, b"output")), field(7, b"abcd")),
        ]
    )
    message = message_classes()["ModelInferRequest"]()
    message.ParseFromString(wire)
    assert (message.model_name, message.model_version, message.id) == ("m", "v", "7")
    assert message.parameters["timeout"].int64_param == 5
    assert list(message.inputs[0].shape) == [1, 2]
    assert (message.outputs[0].name, message.raw_input_contents[0]) == ("output", b"abcd")
    assert message.SerializeToString(deterministic=True) == wire


def test_values_of_the_request_have_the_bytes_of_the_public_protocol():
    floats = struct.pack("<2f", 1.5, -2)
    typed = request(contents={"fp32_contents": [1.5, -2]}).inputs[0].contents
    assert typed.SerializeToString() == field(6, floats)
    typed = request(contents={"bytes_contents": [b"ab"]}).inputs[0].contents
    assert typed.SerializeToString() == field(8, b"ab")


def test_a_response_has_the_bytes_of_the_public_protocol():
    result = Inferred("m", "v", np.float32([[1.5, -2]]))
    floats = struct.pack("<2f", 1.5, -2)
    head = field(1, b"m") + field(2, b"v") + field(3, b"7")
    tensor = field(1, b"output") + field(2, b"FP32") + field(3, b"\x01\x02")
    raw = write_response(result, "7", raw=True).SerializeToString(deterministic=True)
    assert raw == head + field(5, tensor) + field(6, floats)
    typed = write_response(result, "7", raw=False).SerializeToString(deterministic=True)
    assert typed == head + field(5, tensor + field(5, field(6, floats)))


@given(values=BATCHES)
def test_numbers_arrive_equal_in_both_forms(values):
    shape = list(values.shape)
    raw = request(raw=[values.astype("<f4").tobytes()], shape=shape)
    typed = request(contents={"fp32_contents": values.ravel().tolist()}, shape=shape)
    for message in (raw, typed):
        wanted, binary = read_request(message)
        read = read_values(wanted.inputs[0], binary, values.shape[1:])
        np.testing.assert_array_equal(read, values)


@given(elements=ELEMENTS)
def test_elements_arrive_equal_in_both_forms(elements):
    fields = {"name": "image", "datatype": "BYTES", "shape": [len(elements)]}
    joined = b"".join(struct.pack("<I", len(each)) + each for each in elements)
    for message in (
        request(raw=[joined], **fields),
        request(contents={"bytes_contents": elements}, **fields),
    ):
        wanted, binary = read_request(message)
        assert read_images(wanted.inputs[0], binary) == elements


@given(values=BATCHES)
def test_outputs_leave_equal_in_both_forms(values):
    result = Inferred("m", "v", values)
    raw = write_response(result, "", raw=True)
    typed = write_response(result, "", raw=False)
    assert list(raw.outputs[0].shape) == list(typed.outputs[0].shape) == list(values.shape)
    read = np.frombuffer(raw.raw_output_contents[0], "<f4").reshape(values.shape)
    np.testing.assert_array_equal(read, values)
    read = np.float32(typed.outputs[0].contents.fp32_contents).reshape(values.shape)
    np.testing.assert_array_equal(read, values)
    assert not raw.outputs[0].contents.ListFields()
    assert not typed.raw_output_contents


@given(parameters=PARAMETERS)
def test_parameters_of_every_type_arrive(parameters):
    wanted, _ = read_request(request(contents={"fp32_contents": [1]}, parameters=parameters))
    expected = {name: value for name, one in parameters.items() for value in one.values()}
    assert wanted.parameters.keys() == expected.keys()
    for name, value in expected.items():
        read = wanted.parameters[name]
        assert read == value or (math.isnan(read) and math.isnan(value))


def test_a_timeout_is_read():
    wanted, _ = read_request(
        request(contents={"fp32_contents": [1]}, parameters={"timeout": {"int64_param": 250_000}})
    )
    assert wanted.timeout_s == 0.25


@pytest.mark.parametrize(
    "fields",
    [
        {"raw": [b"abcd", b"abcd"]},
        {"raw": [b"abcd"], "contents": {"fp32_contents": [1]}},
        {"contents": {"fp64_contents": [1]}},
        {"contents": {"fp32_contents": [1], "bytes_contents": [b"a"]}},
        {"datatype": "BYTES", "contents": {"fp32_contents": [1]}},
        {"datatype": "INT64", "contents": {"int64_contents": [1]}},
        {"shape": []},
        {"shape": [1] * 9},
        {"name": "n" * 101},
        {"outputs": ["output"] * 9},
    ],
)
def test_what_does_not_match_is_refused(fields):
    with pytest.raises(InputError) as error:
        read_request(request(**fields))
    assert error.value.info().code == "invalid_body"


@pytest.mark.parametrize("inputs", [0, 2])
def test_a_request_has_exactly_one_input(inputs):
    message = message_classes()["ModelInferRequest"](inputs=[{"name": "input"}] * inputs)
    with pytest.raises(InputError, match="exactly one input"):
        read_request(message)


def test_the_length_of_the_values_is_not_the_callers_to_say():
    message = request(raw=[b"abcd"])
    message.inputs[0].parameters["binary_data_size"].int64_param = 4_000
    wanted, binary = read_request(message)
    assert wanted.inputs[0].parameters == {"binary_data_size": 4}
    assert binary == b"abcd"


@given(data=st.data())
def test_mutated_requests_are_read_or_refused(data):
    wire = bytearray(request(raw=[b"abcd"], outputs=["output"]).SerializeToString())
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    message = message_classes()["ModelInferRequest"]()
    try:
        message.ParseFromString(bytes(wire))
        wanted, binary = read_request(message)
        read_values(wanted.inputs[0], binary, (1,))
    except (DecodeError, InputError):
        pass


def test_a_model_is_described_with_its_tensors():
    tensor = {"name": "input", "datatype": "FP32", "shape": [-1, 3, 224, 224]}
    view = ModelView(
        name="m",
        versions=["v"],
        platform="p",
        inputs=[tensor],
        outputs=[],
        ready=True,
        partition_points=1,
    )
    described = write_model(view)
    assert (described.name, list(described.versions), described.platform) == ("m", ["v"], "p")
    assert list(described.inputs[0].shape) == tensor["shape"]
