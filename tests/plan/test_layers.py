import pytest

from zooselect.errors import UsageError
from zooselect.plan.layers import HEAD, STEM, Layer, parse_layers

RESNET = """
# printed by the one-liner
conv1.weight 64 3 7 7
bn1.weight 64
bn1.bias 64
layer1.0.conv1.weight 64 64 3 3
layer1.0.downsample.0.weight 64 64 1 1
layer1.0.downsample.1.weight 64
embed_tokens.weight 100 8
fc.weight 10 64
fc.bias 10
""".splitlines()


def names(layers):
    return [one.name for one in layers.pruned]


def test_first_convolution_and_last_layer_stay_dense():
    layers = parse_layers(RESNET)
    assert names(layers) == ["layer1.0.conv1.weight", "layer1.0.downsample.0.weight"]
    assert [(one.module, why) for one, why in layers.dense] == [("conv1", STEM), ("fc", HEAD)]


def test_share_counts_convolution_and_linear_weights_alone():
    pruned = 64 * 64 * 9 + 64 * 64
    assert parse_layers(RESNET).share == pruned / (pruned + 64 * 3 * 49 + 640)


def test_transformer_has_no_stem():
    layers = parse_layers(["q.weight 8 8", "k.weight 8 8", "classifier.weight 2 8"])
    assert names(layers) == ["q.weight", "k.weight"]


def test_bare_names_are_a_choice_not_a_description():
    layers = parse_layers(["b1.conv", "mid.weight", "mid.bias"])
    assert names(layers) == ["b1.conv.weight", "mid.weight"]
    assert (layers.dense, layers.share) == ((), None)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a.weight 3 x"], "line 1"),
        (["ok 1 2", "b 0 3"], "line 2"),
        (["", "# nothing"], "empty"),
        (["conv.weight 3 3 3 3"], "none of the model's 1 weights"),
    ],
)
def test_bad_lists(lines, words):
    with pytest.raises(UsageError, match=words):
        parse_layers(lines)


def test_layer_names():
    assert Layer("a.weight").module == "a"
    assert Layer("a.weight", (2, 3)).numel == 6
    assert Layer("a.weight").numel == 0


def test_a_listing_of_a_whole_model_keeps_its_names():
    """As a vision transformer of torchvision, CLIP and T5 list theirs."""
    layers = parse_layers(
        [
            "logit_scale",
            "class_token 1 1 768",
            "conv_proj.weight 768 3 16 16",
            "shared.weight 32128 512",
            "encoder.pos_embedding 1 197 768",
            "layer_0.self_attention.in_proj_weight 2304 768",
            "layer_0.self_attention.relative_attention_bias.weight 32 8",
            "layer_0.self_attention.out_proj.weight 768 768",
            "layer_0.mlp.0.weight 3072 768",
            "heads.head.weight 1000 768",
        ]
    )
    assert names(layers) == ["layer_0.self_attention.out_proj.weight", "layer_0.mlp.0.weight"]
    assert {one.name: why for one, why in layers.dense} == {
        "conv_proj.weight": STEM,
        "heads.head.weight": HEAD,
    }
