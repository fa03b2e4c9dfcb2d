"""tritonclient and kserve's client against a real node; ``make test-clients`` installs them."""

import numpy as np

from edgewright.tools.nodes.launch import launch_node


def test_clients_of_the_open_inference_protocol(tmp_path, hold):
    import skimage.data
    from PIL import Image

    file = tmp_path / "cat.jpg"
    Image.fromarray(skimage.data.chelsea()).save(file)
    values = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    np.save(tmp_path / "values.npy", values)
    settings = {"name": "edge", "role": "edge", "port": 0, "grpc_port": 0, "measure": "never"}
    with launch_node(settings) as node:
        hold("triton_session.py", node.url, node.grpc, str(file), str(tmp_path))
        hold("kserve_session.py", node.url, node.grpc, str(tmp_path))
    outputs = np.concatenate([np.load(tmp_path / f"{name}.npy") for name in ("triton", "kserve")])
    assert outputs.shape == (4, 1000)
    np.testing.assert_allclose(outputs, outputs[:1].repeat(4, axis=0), atol=1e-5)
