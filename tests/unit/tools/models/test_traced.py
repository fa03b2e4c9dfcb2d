"""Models that torch.fx can trace are cut along their graph and compute the same output."""

import math
from pathlib import Path

import pytest
import torch
import torchvision
from PIL import Image
from torch import nn

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.torch.macs import block_macs, head_shares
from edgewright.tools.models.engines.torch.torchvision_classifier import Classifier
from edgewright.tools.models.engines.torch.traced import TensorPacker, traced_blocks
from edgewright.tools.models.source import ModelSource

SIZE = 64
#: Millions of MACs at 224 x 224 according to torchvision's documentation, and the number of input
#: features of the classifier's last layer.
PUBLISHED = {"resnet18": (1814, 512), "mobilenet_v2": (301, 1280), "densenet121": (2834, 1024)}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory, save_classifier):
    """Return a small classifier by its architecture's name."""
    cache: dict[str, Classifier] = {}

    def get(architecture: str) -> Classifier:
        if architecture not in cache:
            folder = save_classifier(tmp_path_factory.mktemp("models"), architecture)
            cache[architecture] = Classifier(ModelSource(str(folder)))
        return cache[architecture]

    return get


@pytest.mark.parametrize("architecture", PUBLISHED)
def test_cut_equals_whole_at_every_point(classifier, photograph, architecture):
    chain = classifier(architecture)
    x = chain.tensor(chain.preprocess(photograph("chelsea")))
    last = len(chain.block_names)
    with torch.inference_mode():
        whole = chain.network(x)
        features = x
        for point in range(last + 1):
            features = chain.forward(features, max(point - 1, 0), point)
            assert tuple(features.shape[1:]) == chain.feature_shape(point)
            output = chain.forward(features, point, last)
            assert torch.allclose(output, whole, atol=1e-5, rtol=0)
    assert whole.std() > 0.01
    assert whole.shape == (1, 7)


def test_a_chain_is_cut_before_each_operation_with_macs():
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3), nn.Flatten(),
        nn.Linear(4 * 16, 5),
    )  # fmt: skip
    assert list(traced_blocks(network.eval(), (3, 14, 14))) == ["_2", "_4", "_5"]


def test_residual_blocks_are_cut_between_and_never_inside(classifier):
    names = classifier("resnet18").block_names
    layers = [f"layer{layer}_{block}_relu_1" for layer in range(1, 5) for block in range(2)]
    assert list(names) == ["maxpool", *layers[:-1], "flatten", "fc"]


def test_inside_a_dense_block_several_tensors_cross(classifier):
    chain = classifier("densenet121")
    crossing = [len(block._outputs.shapes) for block in chain._blocks]
    assert max(crossing) > 4
    assert chain.feature_shape(2) == (64 + 32, SIZE // 4, SIZE // 4)


class Inception(nn.Module):
    """Two branches that are narrow in the middle and wide before and after it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 1)
        self.narrow = nn.ModuleList([nn.Conv2d(16, width, 1) for width in (2, 3)])
        self.wide = nn.ModuleList([nn.Conv2d(width, 12, 1) for width in (2, 3)])
        self.last = nn.Conv2d(24, 5, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x).relu()
        branches = [
            wide(narrow(x).relu()) for narrow, wide in zip(self.narrow, self.wide, strict=True)
        ]
        return self.last(torch.cat(branches, dim=1).relu()).flatten(1)


def test_branches_are_cut_where_their_total_width_is_smallest():
    torch.manual_seed(0)
    network = Inception().eval()
    blocks = traced_blocks(network, (3, 8, 8))
    x = torch.randn(2, 3, 8, 8)
    features = [x]
    with torch.no_grad():
        for block in blocks.values():
            features.append(block(features[-1]))
        assert torch.allclose(features[-1], network(x), atol=1e-5)
    assert [one.shape[1] for one in features] == [3, 16, 5, 5]


class Uneven(nn.Module):
    """Two tensors of different sizes cross the cut; a plain number must not."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 1)
        self.left = nn.Conv2d(8, 2, 2, stride=2)
        self.right = nn.Conv2d(8, 1, 4, stride=4)
        self.heads = nn.ModuleList([nn.Linear(32, 50), nn.Linear(4, 50)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        batch = x.shape[0]
        left, right = self.left(x), self.right(x)
        left = self.heads[0](left.reshape(batch, -1))
        return left + self.heads[1](right.reshape(batch, -1))


def test_a_plain_number_does_not_cross_a_cut():
    torch.manual_seed(0)
    network = Uneven().eval()
    x = torch.randn(2, 3, 8, 8)
    features, shapes = x, []
    with torch.no_grad():
        for block in traced_blocks(network, (3, 8, 8)).values():
            features = block(features)
            shapes.append(tuple(features.shape[1:]))
        assert torch.allclose(features, network(x), atol=1e-5)
    assert shapes == [(8, 8, 8), (32 + 4,), (50,)]


class Untraceable(nn.Module):
    """Its control flow depends on the input, or its output is more than one tensor."""

    def __init__(self, data_dependent: bool) -> None:
        super().__init__()
        self.data_dependent = data_dependent

    def forward(self, x: torch.Tensor) -> object:
        if self.data_dependent:
            return x if x.sum() > 0 else -x
        return [x, 2 * x]


@pytest.mark.parametrize("data_dependent", [True, False])
def test_an_untraceable_model_raises(data_dependent):
    with pytest.raises(UnavailableError) as caught:
        traced_blocks(Untraceable(data_dependent), (3, 8, 8))
    assert caught.value.info().code == "model_not_traceable"


def test_features_are_not_modified():
    network = nn.Sequential(nn.SiLU(inplace=True), nn.Conv2d(3, 4, 1)).eval()
    x = torch.randn(1, 3, 8, 8)
    before = x.clone()
    next(iter(traced_blocks(network, (3, 8, 8)).values()))(x)
    assert torch.equal(x, before)


def test_packed_tensors_are_unpacked_unchanged():
    for shapes in ([(2, 3, 3), (5, 3, 3)], [(2, 3, 3), (4,), (2, 2)], [(6,)]):
        tensors = [torch.randn(2, *shape) for shape in shapes]
        packer = TensorPacker(shapes)
        packed = packer.pack(tensors)
        assert packed[0].numel() == sum(math.prod(shape) for shape in shapes)
        for expected, unpacked in zip(tensors, packer.unpack(packed), strict=True):
            assert torch.equal(expected, unpacked)


@pytest.mark.parametrize("architecture", PUBLISHED)
def test_macs_equal_the_published_ones(classifier, architecture):
    chain = classifier(architecture)
    published, width = PUBLISHED[architecture]
    backbone = sum(block_macs(chain)) - width * 7
    total = backbone * (224 / SIZE) ** 2 + width * 1000
    assert total / 1e6 == pytest.approx(published, rel=0.002)
    shares = head_shares(chain)
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_attention_is_counted(tiny_vit):
    from edgewright.tools.models.engines.torch import vit

    chain = vit.load(ModelSource(str(tiny_vit)))
    tokens, width, hidden = 17, 32, 64
    layer = 4 * tokens * width**2 + 2 * tokens * width * hidden + 2 * tokens**2 * width
    patches = 16 * width * 3 * 8 * 8
    assert block_macs(chain) == [patches, layer, layer, layer, width * 7]


def error_of(folder: Path) -> str:
    with pytest.raises(UnavailableError) as caught:
        Classifier(ModelSource(str(folder)))
    assert str(folder.parent) not in caught.value.message
    return caught.value.info().code


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"architecture": "vit"}, "model_unreadable"),
        ({"weights": "V9"}, "model_unreadable"),
        ({"options": {"wings": 2}}, "model_unreadable"),
        ({"image_size": "wide"}, "model_unreadable"),
        ({"label_names": ["one", "two"]}, "model_incomplete"),
        ({"architecture": "squeezenet1_0"}, "model_incomplete"),
    ],
)
def test_a_wrong_description_is_an_error(save_classifier, tmp_path, config, code):
    assert error_of(save_classifier(tmp_path, "squeezenet1_1", **config)) == code


def test_damaged_weights_are_an_error(save_classifier, tmp_path):
    folder = save_classifier(tmp_path, "squeezenet1_1")
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    assert error_of(folder) == "model_unreadable"
    (tmp_path / "config.json").unlink()
    assert error_of(folder) == "model_unreadable"


def test_images_are_preprocessed_as_in_torchvision(save_classifier, tmp_path):
    folder = save_classifier(tmp_path, "squeezenet1_1", image_size=None)
    chain = Classifier(ModelSource(str(folder)))
    assert chain.input_size == (224, 224)
    expected = torchvision.models.get_model_weights("squeezenet1_1").DEFAULT.transforms()
    image = Image.new("RGB", (256, 256), (255, 0, 51))
    assert torch.allclose(chain.tensor(chain.preprocess(image))[0], expected(image), atol=1e-5)
    assert chain.label_names[6] == "thing 6"
