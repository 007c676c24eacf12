"""What lies beside an export: how to use it in the program that it was made for."""
from __future__ import annotations

from impasto import __version__
from impasto.export.network import Network

SMALLEST_PX, USUAL_PX = (64, 64), (1080, 1920)


def of_onnx(network: Network, file: str, opset: int) -> str:
    """For ONNX Runtime and game engines."""
    return f"""{_head(network, file)}
One file, ONNX opset {opset}, {_numbers(network)}.

## ONNX Runtime

```python
import numpy, onnxruntime
session = onnxruntime.InferenceSession("{file}")
painted = session.run(None, {{"image": image}})[0]  # image: float32 {_shape(network)}
```

## Unity

Drop the file into `Assets`; the importer of Sentis (Inference Engine) takes opsets 7 to 15, and this is {opset}. Give the input
a fixed size in multiples of {network.told.stride}. `TextureConverter` turns textures into tensors
(channels first, 0..1) and back. Read sRGB textures as they are stored: the network paints what a screen shows, not linear light.

## Unreal

Drop the file into the content browser with the plugin NNE and a runtime for ONNX (NNERuntimeORT) switched on. Set the input's
shape in multiples of {network.told.stride}, and feed it the tonemapped picture, 0..1, channels first.

Neither engine was at hand where this was written: the file was tried under ONNX Runtime.
"""


def of_openvino(network: Network, file: str, hint: str) -> str:
    """For OpenVINO."""
    return f"""{_head(network, f"{file} (and .bin)")}
Two files, {_numbers(network)}.

```python
import openvino
compiled = openvino.compile_model("{file}", "CPU", {{"INFERENCE_PRECISION_HINT": "{hint}"}})
painted = compiled([image])[0]  # image: float32 {_shape(network)}
```

The hint is the number format that this export was checked in. A model that is reshaped to one size is a fifth faster.
"""


def of_torchscript(network: Network, file: str) -> str:
    """For Nuke."""
    planes = network.planes
    more = [f"rgba.{name}" for name in ("red", "green", "blue")] + [f"guides.{n}" for n in range(network.planes - 3)]
    scale = network.told.scale
    strength = "- Custom knobs: `strength`, a float, 0 (the plate) to 1 (the painting)\n" if scale == 1 else ""
    return f"""{_head(network, file)}
TorchScript: `forward(image)` takes one float tensor [N,{planes} or more,H,W] of any size and returns
[N,3,{_times(scale, "H")},{_times(scale, "W")}]. Values beyond 0..1 are cut off, channels beyond the first {planes} are left out.

## Nuke (13 or newer, NukeX to make the .cat file)

CatFileCreator:

- Torchscript File: `{file}`
- Cat File: `{file.removesuffix(".pt")}.cat`
- Channels In: `{", ".join(more)}`
- Channels Out: `rgba.red, rgba.green, rgba.blue`
- Model Id: `{network.name}`
- Output Scale: {scale}
{strength}
Press Create, then open the .cat file in an Inference node. Nuke works in linear light and the network paints what a screen
shows: put a Colorspace node (linear to sRGB) before Inference, and one (sRGB to linear) behind it.

If CatFileCreator refuses the file, Nuke's own torch is too old for it: install that version of torch in an environment of its
own beside impasto and export again. This file was tried under torch {_torch()}, not inside Nuke.
"""


def of_tensorrt(network: Network, file: str, script: str) -> str:
    """For TensorRT."""
    bf16 = "The number format was checked, not an engine of TensorRT: that is built on your card.\n"
    bf16 = bf16 if network.precision == "bf16" else ""
    return f"""{_head(network, file)}
`{file}` is the network in fp32; run `./{script}` on the machine whose card is to paint. It needs `trtexec`,
which comes with TensorRT, and writes `{network.name}.engine`, for pictures of {SMALLEST_PX[1]}x{SMALLEST_PX[0]} to 3840x2160,
fastest at {USUAL_PX[1]}x{USUAL_PX[0]}.
{bf16}"""


def of_web(network: Network, weight_bytes: int) -> str:
    """For the web."""
    card, told = network.look.style.card, network.told
    return f"""# {card.title}: a page

{card.title} ({network.look.name}), network {network.tier}, {told.parameters:,} weights, licence {card.licence}.
Written by impasto {__version__}.

A page of a few plain files; `look.js` is the network, {weight_bytes / 1e6:.2f} MB. Open `index.html`, or put the folder on any
web server: there is nothing to build, and the page fetches nothing and sends nothing anywhere. Cameras need https or
http://localhost: `python -m http.server` in this folder, then http://localhost:8000.

It paints with WebGPU, or with WebAssembly on the processor where there is none, both in fp32. `index.html?on=cpu` or `?on=gpu`
asks for one of them, `?language=zh` or `?language=en` for a language.

To put the network into a page of yours, load `look.js`, `network.js`, `gpu.js` and `cpu.js`:

```js
const network = opened(LOOK), painter = await gpuPainter(network) ?? cpuPainter(network);
const painted = await painter.paint(picture);  // picture and painted: ImageData of any size
```

The figures below are those of the weights in `look.js`, read back and tried under ONNX Runtime; the scripts, which are the same
for every look, are tried in a browser by impasto's own tests.
"""


def tensorrt_script(network: Network, file: str, largest: tuple[int, int]) -> str:
    """A shell script that builds an engine; width and height must be multiples of the stride."""
    shapes = {"min": SMALLEST_PX, "opt": USUAL_PX, "max": largest}
    stride = network.told.stride
    told = [
        f'  --{name}Shapes=image:1x{network.planes}x{-(-height // stride) * stride}x{-(-width // stride) * stride} \\'
        for name, (height, width) in shapes.items()
    ]
    lines = ["#!/bin/sh", f"# Builds a TensorRT engine of {file} on this machine's card.", "set -eu", 'cd "$(dirname "$0")"']
    lines += [f"trtexec --onnx={file} --saveEngine={network.name}.engine \\", *told]
    lines.append(f"  {'--bf16' if network.precision == 'bf16' else '--noTF32'} \"$@\"")
    return "\n".join(lines) + "\n"


def _head(network: Network, file: str) -> str:
    """What every one of them begins with."""
    card, told = network.look.style.card, network.told
    guides = "".join(f", then {count} of {name}" for name, count in told.guides.items())
    size = "" if told.scale == 1 else f" {told.scale} times larger"
    return f"""# {card.title}: {file}

{card.title} ({network.look.name}), network {network.tier}, {told.parameters:,} weights, licence {card.licence}.
Written by impasto {__version__}.

- in: `image`, float32 {_shape(network)}, RGB in 0..1 as a screen shows it{guides}
- out: `painted`{size}, RGB in 0..1
- H and W in multiples of {told.stride}; tiles of a frame must overlap by {-(-told.receptive_field // 2)} pixels on each side
"""


def _numbers(network: Network) -> str:
    if network.precision == "int8":
        return "its convolutions in 8-bit integers (QuantizeLinear, DequantizeLinear), all else in fp32"
    return "weights in fp32"


def _shape(network: Network) -> str:
    return f"[N,{network.planes},H,W]"


def _times(scale: int, side: str) -> str:
    return side if scale == 1 else f"{scale}*{side}"


def _torch() -> str:
    from importlib import metadata

    return metadata.version("torch")
