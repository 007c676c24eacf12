"""Every loss: small functions of tensors, to be added up by a recipe.

`adversarial` (painter against critic), `perceptual` (features and their statistics), `patches` (places of a picture),
`pixels` (picture against picture), `colour` (Lab), `motion` (frame against frame).
"""

from impasto.losses.adversarial import (
    FAMILIES,
    Family,
    adversarial,
    gradient_penalty,
    hinge_critic,
    hinge_generator,
    noise_gradient,
    r1,
    told_apart,
)
from impasto.losses.colour import Palette, lab_colour, to_lab
from impasto.losses.motion import Motion, frame_difference, steadiness, warp_by_flow, warp_consistency
from impasto.losses.patches import PatchNCE, patch_nce, patch_style, structure_lost
from impasto.losses.perceptual import feature_matching, gram_style, perceptual, perceptual_content, sliced_style
from impasto.losses.pixels import cycle, grey, identity, pixels, ssim, total_variation

__all__ = [
    "FAMILIES",
    "Family",
    "Motion",
    "Palette",
    "PatchNCE",
    "adversarial",
    "cycle",
    "feature_matching",
    "frame_difference",
    "gradient_penalty",
    "gram_style",
    "grey",
    "hinge_critic",
    "hinge_generator",
    "identity",
    "lab_colour",
    "noise_gradient",
    "patch_nce",
    "patch_style",
    "perceptual",
    "perceptual_content",
    "pixels",
    "r1",
    "sliced_style",
    "ssim",
    "steadiness",
    "structure_lost",
    "to_lab",
    "told_apart",
    "total_variation",
    "warp_by_flow",
    "warp_consistency",
]
