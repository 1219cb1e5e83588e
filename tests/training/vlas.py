"""Vision-language-action policies of a few thousand numbers: their own configurations, weights and tokenizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curation.store import Store

_WORDS = ("pick", "up", "the", "block", "and", "place", "it", "in", "bowl", "\n")
VOCABULARY = 64


def tokenizer(folder: Path) -> Path:
    """A tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = (
        "<pad>", "<bos>", "<eos>", "<unk>", "<image>", "<fake_token_around_image>", "<global-img>",
        "<end_of_utterance>",
    )  # fmt: skip
    words = {word: number for number, word in enumerate((*special, *_WORDS))}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    whole = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", unk_token="<unk>",
        additional_special_tokens=list(special[4:]),
        extra_special_tokens={"image_token": "<image>", "fake_image_token": "<fake_token_around_image>",
                              "global_image_token": "<global-img>", "end_of_utterance_token": "<end_of_utterance>"},
    )  # fmt: skip
    whole.save_pretrained(folder)
    return folder


def smolvla(folder: Path, data: Path) -> Path:
    """A SmolVLA with a vision-language model of two layers, saved as real ones are."""
    from transformers import SmolVLMConfig, SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    vlm = folder / "vlm"
    words = tokenizer(vlm)
    config = SmolVLMConfig(
        vision_config={"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                       "image_size": 64, "patch_size": 16},
        text_config={"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
                     "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "vocab_size": VOCABULARY,
                     "pad_token_id": 0},
        scale_factor=2, image_token_id=4, pad_token_id=0,
    )  # fmt: skip
    config.save_pretrained(vlm)
    from transformers import AutoTokenizer

    SmolVLMProcessor(
        SmolVLMImageProcessor(), AutoTokenizer.from_pretrained(words), SmolVLMVideoProcessor(), image_seq_len=4
    ).save_pretrained(vlm)
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
    from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
    from lerobot.policies.smolvla.processor_smolvla import make_smolvla_pre_post_processors

    settings = SmolVLAConfig(
        vlm_model_name=str(vlm), load_vlm_weights=False, num_vlm_layers=2, expert_width_multiplier=0.5, chunk_size=10,
        n_action_steps=5, max_state_dim=8, max_action_dim=8, resize_imgs_with_padding=(64, 64), num_steps=2,
        device="cpu", push_to_hub=False,
    )  # fmt: skip
    return _saved(folder / "policy", SmolVLAPolicy, settings, make_smolvla_pre_post_processors, data)


def pi0(folder: Path, data: Path, patch: pytest.MonkeyPatch) -> Path:
    """A Pi0 of one layer; its sizes are constants of LeRobot's, so these are patched for as long as the test runs."""
    from functools import partial

    from lerobot.policies.pi0 import modeling_pi0, processor_pi0
    from lerobot.policies.pi0.configuration_pi0 import PI0Config
    from transformers import GemmaConfig, PaliGemmaConfig

    words = tokenizer(folder / "words")
    small = modeling_pi0.GemmaConfig(width=32, depth=1, mlp_dim=32, num_heads=8, num_kv_heads=1, head_dim=8)
    patch.setattr(modeling_pi0, "get_gemma_config", lambda variant: small)

    def paligemma() -> Any:
        config = PaliGemmaConfig(
            vision_config={"model_type": "siglip_vision_model", "hidden_size": 32, "intermediate_size": 32,
                           "num_hidden_layers": 1, "num_attention_heads": 2, "patch_size": 14, "image_size": 28,
                           "projection_dim": 32, "vision_use_head": False},
            text_config={"model_type": "gemma", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                         "intermediate_size": 32, "num_key_value_heads": 1, "vocab_size": VOCABULARY},
            projection_dim=32,
        )  # fmt: skip
        _keep(config.vision_config, "intermediate_size", "projection_dim")
        _keep(config.text_config, "vocab_size")
        _keep(config, "_vocab_size", "image_token_index")
        return config

    def gemma(**asked: Any) -> Any:
        return GemmaConfig(**asked | {"vocab_size": VOCABULARY})

    patch.setattr(modeling_pi0, "CONFIG_MAPPING", {"paligemma": paligemma, "gemma": gemma})
    step = partial(processor_pi0.TokenizerProcessorStep)
    patch.setattr(
        processor_pi0, "TokenizerProcessorStep", lambda **asked: step(**asked | {"tokenizer_name": str(words)})
    )
    settings = PI0Config(
        chunk_size=10, n_action_steps=5, max_state_dim=8, max_action_dim=8, image_resolution=(28, 28),
        num_inference_steps=2, device="cpu", push_to_hub=False,
    )  # fmt: skip
    return _saved(folder / "policy", modeling_pi0.PI0Policy, settings, processor_pi0.make_pi0_pre_post_processors, data)


def _keep(config: Any, *names: str) -> None:
    """Let some attributes of a configuration stay what they are, whoever sets them."""
    kind = type(config)

    def set_but_those(self: Any, name: str, value: Any) -> None:
        if name not in names:
            kind.__setattr__(self, name, value)

    object.__setattr__(config, "__class__", type(kind.__name__, (kind,), {"__setattr__": set_but_those}))


def _saved(folder: Path, policy: Any, settings: Any, processors: Any, data: Path) -> Path:
    import torch
    from lerobot.configs import FeatureType
    from lerobot.datasets import LeRobotDatasetMetadata
    from lerobot.utils.feature_utils import dataset_to_policy_features

    torch.manual_seed(7)
    meta = LeRobotDatasetMetadata("studio/test", root=Store.open(data).root)
    features = dataset_to_policy_features(meta.features)
    settings.output_features = {key: one for key, one in features.items() if one.type is FeatureType.ACTION}
    settings.input_features = {key: one for key, one in features.items() if key not in settings.output_features}
    policy(settings).save_pretrained(folder)
    for part in processors(settings, dataset_stats=meta.stats):
        part.save_pretrained(folder)
    return folder
