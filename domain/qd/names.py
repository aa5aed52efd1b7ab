"""MediaPipe's 52 blend shapes, in the order in which an array of them comes, and those of them that scoring reads."""

from __future__ import annotations

from typing import Final

BLEND_SHAPES: Final = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip

NAMES: Final = frozenset(BLEND_SHAPES)

READ: Final = (
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "mouthSmileLeft", "mouthSmileRight",
    "cheekSquintLeft", "cheekSquintRight", "mouthFrownLeft", "mouthFrownRight", "browDownLeft", "browDownRight",
    "noseSneerLeft", "noseSneerRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "eyeWideLeft",
    "eyeWideRight", "jawOpen",
)  # fmt: skip
"""The 26 that scoring reads. A packet has all of these; whoever sends the others sends more than is used."""
