"""Everything that decides what a run computes. Nothing here imports TensorFlow."""

from logan.settings.build import preset
from logan.settings.comparison import data_differences, differences, identity, with_whole_paths
from logan.settings.experiment import KINDS, Experiment, is_crop
from logan.settings.flag_files import from_flags, from_text, to_flags
from logan.settings.methods import METHODS, Method
from logan.settings.names import (
    DATASETS,
    EXTRACTORS,
    FOLDERS,
    IMAGE_SIZES,
    LOSSES,
    MODELS,
    NETWORKS,
    PRIORS,
    SAMPLERS,
    TERMS,
    toy_names,
)
from logan.settings.presets import PAPER_NAMES, PRESETS, Preset
from logan.settings.prolonging import HELD_OUT_EVERY, check_continues, last_common_step
from logan.settings.text import split_list, to_text

__all__ = [
    "DATASETS",
    "EXTRACTORS",
    "FOLDERS",
    "HELD_OUT_EVERY",
    "IMAGE_SIZES",
    "KINDS",
    "LOSSES",
    "METHODS",
    "MODELS",
    "NETWORKS",
    "PAPER_NAMES",
    "PRESETS",
    "PRIORS",
    "SAMPLERS",
    "TERMS",
    "Experiment",
    "Method",
    "Preset",
    "check_continues",
    "data_differences",
    "differences",
    "from_flags",
    "from_text",
    "identity",
    "is_crop",
    "last_common_step",
    "preset",
    "split_list",
    "to_flags",
    "to_text",
    "toy_names",
    "with_whole_paths",
]
