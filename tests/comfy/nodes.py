"""The nodes that the fake ComfyUI has: what they take, as /object_info says it, and what they do, with Pillow.

Nodes that need a model work on pictures instead: a latent is the picture itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter, ImageOps, PngImagePlugin

# A film's bytes: a file type, a user's data with the prompt in it, and some frames that are none.
FILM = b"".join(
    [
        b"\0\0\0\x10ftypisom\0\0\0\0",
        b"\0\0\0\x30moov\0\0\0\x28udta",
        b"prompt: a secret".ljust(32, b"."),
        b"\0\0\0\x0cmdatfilm",
    ]
)


@dataclass(slots=True)
class Work:
    """What a node may use while it runs: its folder, its prompt, its steps."""

    folder: Path
    prompt: dict[str, Any]
    step: Callable[[int, int], Awaitable[None]]
    saved: list[dict[str, str]] = field(default_factory=list)


class Unidentified(Exception):
    """As Pillow says it of a file that is no picture."""


async def load_image(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    try:
        picture = Image.open(work.folder / "input" / inputs["image"]).convert("RGB")
    except OSError:
        raise Unidentified(f"cannot identify image file '{work.folder}/input/{inputs['image']}'") from None
    return picture, None


async def empty_image(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    color = inputs["color"]
    red_green_blue = (color >> 16 & 255, color >> 8 & 255, color & 255)
    return (Image.new("RGB", (inputs["width"], inputs["height"]), red_green_blue),)


async def invert(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    return (ImageOps.invert(inputs["image"]),)


async def scale(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    return (inputs["image"].resize((inputs["width"], inputs["height"]), Image.Resampling.BILINEAR),)


async def blur(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    return (inputs["image"].filter(ImageFilter.GaussianBlur(inputs["sigma"])),)


async def same_image(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    return (inputs.get("image") or inputs.get("pixels") or inputs.get("samples") or inputs.get("start_image"),)


async def model(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    return "model", "clip", "vae"


async def conditioning(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    return "positive", "negative"


async def sample(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    for value in range(1, inputs["steps"] + 1):
        await work.step(value, inputs["steps"])
    return (inputs["latent_image"],)


async def film(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    return (FILM,)


def _target(work: Work, prefix: str, extension: str) -> tuple[Path, dict[str, str]]:
    subfolder, _, name = prefix.rpartition("/")
    folder = work.folder / "output" / subfolder
    folder.mkdir(parents=True, exist_ok=True)
    filename = f"{name}_{len(list(folder.glob(f'{name}_*'))) + 1:05}_.{extension}"
    return folder / filename, {"filename": filename, "subfolder": subfolder, "type": "output"}


async def save_image(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    path, named = _target(work, inputs["filename_prefix"], "png")
    metadata = PngImagePlugin.PngInfo()
    metadata.add_text("prompt", repr(work.prompt))
    inputs["images"].save(path, pnginfo=metadata)
    work.saved.append(named)
    return ()


async def save_video(work: Work, inputs: dict[str, Any]) -> tuple[Any, ...]:
    path, named = _target(work, inputs["filename_prefix"], "mp4")
    await asyncio.to_thread(path.write_bytes, inputs["video"])
    work.saved.append(named)
    return ()


Run = Callable[[Work, dict[str, Any]], Awaitable[tuple[Any, ...]]]
IMAGE, LATENT, MODEL, CLIP, VAE, TEXT = (
    ["IMAGE"],
    ["LATENT"],
    ["MODEL"],
    ["CLIP"],
    ["VAE"],
    ["STRING", {"multiline": True}],
)
CONDITIONING, CONTROL, VIDEO = (["CONDITIONING"], ["CONTROL_NET"], ["VIDEO"])
METHODS = [["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]]

NUMBERS = ["INT", "FLOAT"]


def number(least: float, most: float, default: float = 0) -> list[Any]:
    return ["INT" if isinstance(least, int) else "FLOAT", {"default": default, "min": least, "max": most}]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of node; `folder` is where the files of each input lie."""

    run: Run
    required: dict[str, list[Any]]
    optional: dict[str, list[Any]] = field(default_factory=dict)
    output: bool = False
    folders: dict[str, str] = field(default_factory=dict)


SAMPLER: dict[str, list[Any]] = {
    "model": MODEL,
    "positive": CONDITIONING,
    "negative": CONDITIONING,
    "latent_image": LATENT,
    "seed": number(0, 2**64 - 1),
    "steps": number(1, 10_000),
    "cfg": number(0.0, 100.0),
    "denoise": number(0.0, 1.0),
    "sampler_name": [["euler", "dpmpp_2m", "uni_pc"]],
    "scheduler": [["simple", "karras"]],
}
KINDS: dict[str, Kind] = {
    "LoadImage": Kind(load_image, {"image": [[], {"image_upload": True}]}, folders={"image": "input"}),
    "EmptyImage": Kind(
        empty_image,
        {
            "width": number(1, 16384),
            "height": number(1, 16384),
            "batch_size": number(1, 4096),
            "color": number(0, 0xFFFFFF),
        },
    ),
    "ImageInvert": Kind(invert, {"image": IMAGE}),
    "ImageScale": Kind(
        scale,
        {
            "image": IMAGE,
            "upscale_method": METHODS,
            "width": number(0, 16384),
            "height": number(0, 16384),
            "crop": [["disabled", "center"]],
        },
    ),
    "ImageBlur": Kind(blur, {"image": IMAGE, "blur_radius": number(1, 31), "sigma": number(0.1, 10.0)}),
    # As newer ones have it: one more input than older workflows name.
    "ImageScaleToTotalPixels": Kind(
        same_image,
        {
            "image": IMAGE,
            "upscale_method": METHODS,
            "megapixels": number(0.01, 16.0),
            "resolution_steps": number(1, 256, 1),
        },
    ),
    "Canny": Kind(
        same_image, {"image": IMAGE, "low_threshold": number(0.01, 0.99), "high_threshold": number(0.01, 0.99)}
    ),
    "CheckpointLoaderSimple": Kind(model, {"ckpt_name": [[]]}, folders={"ckpt_name": "checkpoints"}),
    "ControlNetLoader": Kind(model, {"control_net_name": [[]]}, folders={"control_net_name": "controlnet"}),
    "UNETLoader": Kind(
        model, {"unet_name": [[]], "weight_dtype": [["default"]]}, folders={"unet_name": "diffusion_models"}
    ),
    "CLIPLoader": Kind(
        model,
        {"clip_name": ["COMBO", {"options": []}], "type": [["wan", "qwen_image"]]},
        folders={"clip_name": "text_encoders"},
    ),
    "VAELoader": Kind(model, {"vae_name": [[]]}, folders={"vae_name": "vae"}),
    "CLIPTextEncode": Kind(conditioning, {"clip": CLIP, "text": TEXT}),
    "TextEncodeQwenImageEdit": Kind(conditioning, {"clip": CLIP, "prompt": TEXT}, {"vae": VAE, "image": IMAGE}),
    "ControlNetApplyAdvanced": Kind(
        conditioning,
        {
            "positive": CONDITIONING,
            "negative": CONDITIONING,
            "control_net": CONTROL,
            "image": IMAGE,
            "strength": number(0.0, 10.0),
            "start_percent": number(0.0, 1.0),
            "end_percent": number(0.0, 1.0),
        },
        {"vae": VAE},
    ),
    "ModelSamplingAuraFlow": Kind(model, {"model": MODEL, "shift": number(0.0, 100.0)}),
    "ModelSamplingSD3": Kind(model, {"model": MODEL, "shift": number(0.0, 100.0)}),
    "CFGNorm": Kind(model, {"model": MODEL, "strength": number(0.0, 100.0)}),
    "VAEEncode": Kind(same_image, {"pixels": IMAGE, "vae": VAE}),
    "VAEDecode": Kind(same_image, {"samples": LATENT, "vae": VAE}),
    "Wan22ImageToVideoLatent": Kind(
        same_image,
        {
            "vae": VAE,
            "width": number(32, 16384),
            "height": number(32, 16384),
            "length": number(1, 16384),
            "batch_size": number(1, 4096),
        },
        {"start_image": IMAGE},
    ),
    "KSampler": Kind(sample, SAMPLER),
    "CreateVideo": Kind(film, {"images": IMAGE, "fps": number(1.0, 120.0)}),
    "SaveImage": Kind(
        save_image, {"images": IMAGE, "filename_prefix": ["STRING", {"default": "ComfyUI"}]}, output=True
    ),
    "SaveVideo": Kind(
        save_video,
        {
            "video": VIDEO,
            "filename_prefix": ["STRING", {"default": "video/ComfyUI"}],
            "format": [["auto", "mp4"]],
            "codec": [["auto", "h264"]],
        },
        output=True,
    ),
}


def choices(kind: Kind, name: str, folder: Path) -> list[str] | None:
    """What an input may be; None where that is no list."""
    declared = {**kind.optional, **kind.required}[name]
    if name in kind.folders:
        where = folder / ("input" if kind.folders[name] == "input" else f"models/{kind.folders[name]}")
        return sorted(str(path.relative_to(where)) for path in where.rglob("*") if path.is_file())
    return declared[0] if isinstance(declared[0], list) else None


def described(name: str, folder: Path) -> dict[str, Any]:
    """A kind of node as /object_info has it."""
    kind = KINDS[name]
    required: dict[str, Any] = {}
    for each, declared in kind.required.items():
        found = choices(kind, each, folder)
        if found is None:
            required[each] = declared
        elif declared[0] == "COMBO":
            required[each] = ["COMBO", {"options": found}]
        else:
            required[each] = [found, *declared[1:]]
    return {"input": {"required": required, "optional": kind.optional}, "output_node": kind.output, "name": name}


def errors(prompt: dict[str, Any], node: str, folder: Path) -> list[dict[str, Any]]:
    """What ComfyUI has against a node of a prompt and against those it stands on."""
    kind = KINDS[prompt[node]["class_type"]]
    found: list[dict[str, Any]] = []

    def add(error: str, name: str) -> None:
        details, information = f"{name}: {folder}/models", {"input_name": name}
        found.append({"type": error, "message": error.replace("_", " "), "details": details, "extra_info": information})

    inputs = prompt[node]["inputs"]
    for name, declared in kind.required.items():
        if name not in inputs:
            add("required_input_missing", name)
            continue
        value, allowed = inputs[name], choices(kind, name, folder)
        if isinstance(value, list):
            if value[0] not in prompt:
                add("bad_linked_input", name)
        elif allowed is not None and value not in allowed:
            add("custom_validation_failed" if kind.folders.get(name) == "input" else "value_not_in_list", name)
        elif declared[0] in NUMBERS and not isinstance(value, int | float):
            add("invalid_input_type", name)
        elif declared[0] in NUMBERS and value < declared[1]["min"]:
            add("value_smaller_than_min", name)
        elif declared[0] in NUMBERS and value > declared[1]["max"]:
            add("value_bigger_than_max", name)
    return found


def ancestors(prompt: dict[str, Any], node: str) -> list[str]:
    """A node and all that it stands on, in an order in which they can run."""
    order: list[str] = []

    def visit(each: str) -> None:
        for value in prompt[each]["inputs"].values():
            if isinstance(value, list) and value[0] in prompt and value[0] not in order:
                visit(value[0])
        if each not in order:
            order.append(each)

    visit(node)
    return order
