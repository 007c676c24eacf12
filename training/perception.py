"""How impasto/models/own_perception.safetensors was made: a small network learns to see what VGG19 sees.

Run from the root of the repository with the extra `learn` installed and the data beside it; one core, about an hour, the same
seed and steps give the same weights on the same machine. Killed, it goes on from its last checkpoint.

    python training/perception.py --out impasto/models/own_perception.safetensors
    python training/perception.py --measure          (cosine to the teachers on held-out pictures, and speed beside them)

Every tap of the small network has few channels and a linear map back to VGG19's width. Each layer is fitted by least squares
to channels of the teachers that tell most of the others; then the whole is trained. It learns from photographs, paintings,
photographs that were painted by the shipped looks, and all of them made noisy, tinted, mixed and blurred, for in training a
generator shows it pictures that no camera and no painter makes. Some pictures are drawn to please it while it learns (`Fooled`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.learn.material.data import Picture, crop, gather_photos, rng_at, to_tensor
from impasto.learn.run.devices import has_bf16, on_device
from impasto.models.perception import OWN, OWN_FILE, POOL, TAPS, Features, Perception, centred

DATA = Path("../shared/data")
TEACHERS = [DATA / "weights/vgg19_normalised_relu3_1.safetensors", DATA / "weights/vgg19_compact_relu5_1.safetensors"]
LISTS = [Path("training/photos.txt"), Path("training/paintings.txt")]
HELD_OUT = {"photographs": Path("training/held-out.txt"), "paintings": Path("training/held-out-paintings.txt")}
LOOKS = Path("impasto/styles/shipped")
WIDTHS = {"own1": 48, "own2": 96, "own31": 176, "own3": 96, "own4": 144}  # by the first letters of a layer's name
WIDE = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512}
WARM_UP, RATE, FLOOR, BETAS = 50, 1.5e-4, 3e-6, (0.9, 0.99)
ROWS = 640  # of each picture, that the first fit is made to
GRAMS = 2  # pictures of a batch whose Gram matrices are compared: the first, and as many of the fooled ones
PLACES = 512  # of each picture and tap, where columns are compared: all of them would take most of the time
FOOLED = 4  # pictures in each batch that are being made to please the small network, so that nothing pleases it wrongly for long
FOOLED_FOR, FOOLED_RATE = 80, 0.02  # steps before another takes its place, and how far a pixel may go in one


class Small(nn.Module):
    """The network that learns, under the names that `Perception` reads."""

    def __init__(self) -> None:
        super().__init__()
        weight, bias = centred()
        self.register_buffer("centre_weight", weight, persistent=False)
        self.register_buffer("centre_bias", bias, persistent=False)
        enter = 3
        for name, tap in OWN:
            if name == POOL:
                continue
            leave = WIDTHS.get(name, WIDTHS.get(name[:4], 0))
            layer = nn.Conv2d(enter, leave, 3, padding=1)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            self.add_module(name, layer)
            if tap:
                self.add_module(f"{name}_aux", nn.Conv2d(leave, WIDE[tap], 1))
            enter = leave

    @torch.no_grad()
    def begin(self, teacher: Perception, x: Tensor) -> None:
        """Start by least squares, layer by layer: each answers as a chosen few of the teacher's channels, as well as it can."""
        full, compact = (answers(each, x) for each in teacher.teachers)
        goals, wide = compact | full, teacher(x)
        h = F.conv2d(x, self.get_buffer("centre_weight"), self.get_buffer("centre_bias"))
        for i, (name, tap) in enumerate(OWN):
            if name == POOL:
                h = F.max_pool2d(h, 2)
                continue
            layer = self.get_submodule(name)
            few = most_telling(F.relu(goals[i]), len(layer.weight))
            places = torch.randperm(h[0, 0].numel())[:ROWS]
            around = F.unfold(h, 3, padding=1)[:, :, places].transpose(1, 2).flatten(0, 1)  # [n,9*C]
            weight, bias = least_squares(around, goals[i][:, few].flatten(2)[:, :, places].transpose(1, 2).flatten(0, 1))
            layer.weight[: len(few)] = weight.view(-1, *layer.weight.shape[1:])  # channels beyond the teacher's stay random
            layer.bias[: len(few)] = bias
            h = F.relu(layer(h))
            if tap:
                widen, rows = self.get_submodule(f"{name}_aux"), h.flatten(2)[:, :, places].transpose(1, 2).flatten(0, 1)
                weight, bias = least_squares(rows, widened(wide[tap], places).flatten(0, 1))
                widen.weight.copy_(weight[:, :, None, None])
                widen.bias.copy_(bias)

    def forward(self, x: Tensor) -> dict[str, Features]:
        """Pictures -> {tap: features}."""
        taps: dict[str, Features] = {}
        h = F.conv2d(x, self.get_buffer("centre_weight"), self.get_buffer("centre_bias"))
        for name, tap in OWN:
            if name == POOL:
                h = F.max_pool2d(h, 2)
                continue
            h = F.relu(self.get_submodule(name)(h))
            if tap:
                widen = self.get_submodule(f"{name}_aux")
                taps[tap] = Features(h, (widen.weight.flatten(1), widen.bias))
        return taps


def answers(teacher: nn.Module, x: Tensor) -> dict[int, Tensor]:
    """What each of a teacher's convolutions answers, before its ReLU, by its place among the layers."""
    h, found = F.conv2d(x, teacher.get_buffer("first_weight"), teacher.get_buffer("first_bias")), {}
    for i, (name, _) in enumerate(teacher.layers):
        if name == POOL:
            h = F.max_pool2d(h, 2)
            continue
        found[i] = F.conv2d(h, teacher.get_buffer(f"w{i}"), teacher.get_buffer(f"b{i}"), padding=1)
        h = F.relu(found[i])
    return found


def most_telling(features: Tensor, count: int) -> Tensor:
    """The channels from which the others can best be told, one after another: always the one of which least is known yet."""
    rows = features.transpose(0, 1).flatten(1)  # [C,n]
    left = rows @ rows.T / rows.shape[1]
    left = left / left.diagonal().sqrt().clamp_min(1e-6).outer(left.diagonal().sqrt().clamp_min(1e-6)).sqrt()
    chosen: list[int] = []
    for _ in range(min(count, len(left))):
        best = int((left.square().sum(0) / left.diagonal().clamp_min(1e-6)).masked_fill(left.diagonal() < 1e-6, -1).argmax())
        chosen.append(best)
        left = left - torch.outer(left[:, best], left[best]) / left[best, best].clamp_min(1e-9)
    return torch.tensor(sorted(set(chosen)))


def least_squares(given: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Weight [out,in] and bias that take rows [n,in] to rows [n,out] with the least squared error."""
    given, wanted = given.double(), wanted.double()
    middle, goal = given.mean(0), wanted.mean(0)
    centred_rows = given - middle
    square = centred_rows.T @ centred_rows
    square += 1e-4 * square.diagonal().mean() * torch.eye(len(square), dtype=square.dtype)
    weight = torch.linalg.solve(square, centred_rows.T @ (wanted - goal)).T
    return weight.float(), (goal - weight @ middle).float()


def apart(ours: Features, theirs: Features, places: Tensor) -> dict[str, Tensor]:
    """Three distances of one tap: where columns point, how long they are (both at some places), how features appear together."""
    one, other = widened(ours, places), widened(theirs, places)
    few = [*range(GRAMS), *range(-GRAMS, 0)]
    mine, grams = (replace(side, values=side.values[few]).gram() for side in (ours, theirs))
    return {
        "cosine": (1 - F.cosine_similarity(one, other, dim=2)).mean(),
        "square": (one - other).square().mean() / other.square().mean(),
        "gram": ((mine - grams).square().sum((1, 2)) / grams.square().sum((1, 2))).mean(),
    }


def widened(features: Features, places: Tensor | None = None) -> Tensor:
    """[N,n,wide]: columns at the full width, at all places or at some."""
    rows = features.rows() if places is None else features.rows()[:, places]
    return rows.float() if features.widen is None else F.linear(rows.float(), *features.widen)


def painted(pictures: list[Picture]) -> list[Picture]:
    """Every fourth of the pictures, painted by the live tier of every shipped look."""
    from impasto.engine import load_engine
    from impasto.styles.package import StyleFile

    found = []
    for path in sorted(LOOKS.glob("*.style")):
        style = StyleFile.open(path)
        engine = load_engine("onnx").open(style.graph("live"), style.card.tiers["live"], "fp32")
        for picture in pictures[::4]:
            height, width = (side // 4 * 4 for side in picture.shape[:2])
            found.append(np.asarray(engine.paint(picture[None, :height, :width])[0]))
    return found


def mistreated(x: Tensor, rng: np.random.Generator) -> Tensor:
    """[N,3,H,W] with some of them noisy, tinted, mixed, blurred or sharpened."""
    for i in range(len(x)):
        if rng.random() < 0.15:
            x[i] = torch.lerp(x[i], x[rng.integers(len(x))], float(rng.uniform(0.2, 0.8)))
        if rng.random() < 0.2:
            soft = torch.from_numpy(cv2.GaussianBlur(x[i].permute(1, 2, 0).numpy(), (0, 0), rng.uniform(0.6, 3))).permute(2, 0, 1)
            x[i] = torch.lerp(x[i], soft, 1.0 if rng.random() < 0.5 else float(-rng.uniform(0.5, 2)))
        if rng.random() < 0.25:
            gain = torch.from_numpy(rng.uniform(0.6, 1.4, (3, 1, 1)).astype(np.float32))
            x[i] = (x[i] - 0.5) * gain + 0.5 + torch.from_numpy(rng.uniform(-0.2, 0.2, (3, 1, 1)).astype(np.float32))
        if rng.random() < 0.2:
            size = int(rng.choice([1, 2, 4, 8]))
            noise = torch.from_numpy(rng.normal(0, rng.uniform(0, 0.25), (3, 32, 32)).astype(np.float32))
            tiled = F.interpolate(noise[None], scale_factor=size, mode="nearest")[0]
            times = -(-x.shape[2] // tiled.shape[1])
            x[i] += tiled.repeat(1, times, times)[:, : x.shape[2], : x.shape[3]]
    return x.clamp(0, 1)


class Fooled:
    """Pictures that are drawn towards a painting's statistics as the small network sees them, while it learns.

    A generator finds what the network that judges it cannot see. So does this: its pictures please the small network where the
    teachers would not be pleased, and by learning how the teachers see them it closes those holes.
    """

    def __init__(self, pictures: list[Picture], paintings: list[Picture], seed: int, size: int) -> None:
        self.pictures, self.paintings, self.seed, self.size = pictures, paintings, seed, size
        self.pixels = on_device(torch.zeros(FOOLED, 3, size, size), torch.device("cpu")).requires_grad_()
        self.goals: list[dict[str, Tensor]] = [{} for _ in range(FOOLED)]
        self.optimiser = torch.optim.Adam([self.pixels], lr=FOOLED_RATE, betas=(0.5, 0.9))

    @torch.no_grad()
    def renew(self, small: Small, step: int, start: int) -> None:
        """Put a photograph in the place of the one that has been drawn the longest, all of them at the start."""
        for i in range(FOOLED):
            if step != start and step % FOOLED_FOR != i * FOOLED_FOR // FOOLED:
                continue
            rng = rng_at(self.seed, step, f"fooled {i}")
            photo, painting = (many[rng.integers(len(many))] for many in (self.pictures, self.paintings))
            self.pixels[i] = to_tensor([crop(photo, self.size, rng, (0.5, 1.5))])[0]
            sample = on_device(to_tensor([crop(painting, 2 * self.size, rng, (0.7, 1.5))]), torch.device("cpu"))
            self.goals[i] = {tap: features.gram()[0] for tap, features in small(sample).items()}

    def draw(self, taps: dict[str, Features]) -> None:
        """One step of the pixels towards their goals; `taps` are of a batch that ends with them."""
        grams = {tap: features.gram()[-FOOLED:] for tap, features in taps.items()}
        wanted = [(grams[tap][i], goal) for i in range(FOOLED) for tap, goal in self.goals[i].items()]
        far = torch.stack([(gram - goal).square().sum() / goal.square().sum() for gram, goal in wanted]).sum()
        (self.pixels.grad,) = torch.autograd.grad(far, self.pixels, retain_graph=True)
        self.optimiser.step()
        with torch.no_grad():
            self.pixels.clamp_(0, 1)


def batch_at(pictures: list[Picture], step: int, seed: int, count: int, size: int) -> Tensor:
    """The pictures of one step: a function of the seed and the step alone."""
    rng = rng_at(seed, abs(step), "perception" if step >= 0 else "start")
    chosen = rng.integers(len(pictures), size=count)
    return mistreated(to_tensor([crop(pictures[i], size, rng, (0.5, 1.5)) for i in chosen]), rng)


def train(options: argparse.Namespace) -> None:
    """Distil, with a checkpoint every two minutes, and write the weights as fp16."""
    photos, paintings = (gather_photos([place], 640) for place in LISTS)
    pictures = [*photos.images, *paintings.images, *painted(photos.images)]
    told = hashlib.sha256((photos.list_hash() + paintings.list_hash()).encode()).hexdigest()
    print(f"{len(photos.images)} photographs, {len(paintings.images)} paintings, {len(pictures)} pictures in all; lists {told}")
    torch.manual_seed(options.seed)
    device = torch.device("cpu")
    teacher, small = Perception(TEACHERS), Small()
    small.begin(teacher, torch.cat([batch_at(pictures, -1 - i, options.seed, 8, 64) for i in range(8)]))
    small = on_device(small, device)
    optimiser = torch.optim.Adam(small.parameters(), lr=RATE, betas=BETAS)
    warm = torch.optim.lr_scheduler.LinearLR(optimiser, 0.01, 1.0, WARM_UP)  # the fit is good: Adam's first steps would undo it
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, options.steps - WARM_UP), FLOOR)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimiser, [warm, fall], [WARM_UP])
    start, kept = 0, options.run / "checkpoint.pt"
    options.run.mkdir(parents=True, exist_ok=True)
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        start = state["step"]
        for name, thing in (("small", small), ("optimiser", optimiser), ("schedule", schedule)):
            thing.load_state_dict(state[name])
    fooled = Fooled(pictures, paintings.images, options.seed, options.crop_px)
    began = saved = time.monotonic()
    for step in range(start, options.steps):
        x = on_device(batch_at(pictures, step, options.seed, options.batch - FOOLED, options.crop_px), device)
        fooled.renew(small, step, start)
        torch.manual_seed(options.seed * 1_000_003 + step)
        parts = step_parts(teacher, small, torch.cat([x, fooled.pixels]), fooled)
        loss = torch.stack(list(parts.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward(inputs=list(small.parameters()))
        if torch.isfinite(nn.utils.clip_grad_norm_(small.parameters(), 1.0)):
            optimiser.step()
        schedule.step()
        if step % 50 == 0:
            line = "  ".join(f"{name} {float(value.detach()):.4f}" for name, value in parts.items())
            print(f"{step}  {(time.monotonic() - began) / (step - start + 1):.3f} s/step  {line}", flush=True)
        if time.monotonic() - saved > 120 or step == options.steps - 1:
            saved = time.monotonic()
            things = {"small": small.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict()}
            torch.save({"step": step + 1, **things}, kept.with_suffix(".writing"))
            kept.with_suffix(".writing").replace(kept)
            write(small, options.out, told, step + 1)


def step_parts(teacher: Perception, small: Small, x: Tensor, fooled: Fooled) -> dict[str, Tensor]:
    """{tap.distance: loss} of one batch."""
    with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16(torch.device("cpu"))):
        with torch.no_grad():
            theirs = teacher(x)
        ours = small(x)
        fooled.draw(ours)
    parts = {}
    for tap in TAPS:
        places = torch.randperm(theirs[tap].values[0, 0].numel())[:PLACES]
        parts |= {f"{tap}.{name}": value for name, value in apart(ours[tap], theirs[tap], places).items()}
    return parts


def write(small: Small, path: Path, lists: str, steps: int) -> None:
    """The weights as fp16 safetensors, with what they were made of."""
    from safetensors.torch import save_file

    made = {"lists": lists, "steps": str(steps), "teachers": json.dumps({p.name: _hash(p) for p in TEACHERS})}
    save_file({name: value.half().contiguous() for name, value in small.state_dict().items()}, path, made)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@torch.inference_mode()
def measure() -> None:
    """Cosine of columns and of Gram matrices to the teachers on pictures that never trained, and seconds for a batch."""
    nets = {"own": Perception.own(), "compact VGG19": Perception(TEACHERS[1:]), "full VGG19 to relu3_1": Perception(TEACHERS[:1])}
    teacher = Perception(TEACHERS)
    print("| pictures | net | " + " | ".join(f"{tap} columns, Gram" for tap in TAPS) + " |\n|---|---|" + "---|" * len(TAPS))
    for kind, place in HELD_OUT.items():
        pictures = gather_photos([place], 512).images
        for name in list(nets)[:2]:
            rows = [_cosines(nets[name], teacher, picture) for picture in pictures]
            cells = [" ".join(f"{v:.3f}" for v in np.mean([row[tap] for row in rows], 0)) for tap in TAPS]
            print(f"| {len(pictures)} {kind} | {name} | " + " | ".join(cells) + " |")
    x = on_device(torch.rand(2, 3, 192, 192), torch.device("cpu"))
    for quick in (False, True):
        took = {name: _seconds(net, x, quick) for name, net in nets.items()}
        both = took["compact VGG19"] + took["full VGG19 to relu3_1"]
        told = ", ".join(f"{name} {value * 1e3:.1f} ms" for name, value in took.items())
        print(f"{'bf16' if quick else 'fp32'}: {told}; own is {both / took['own']:.1f} times as quick as both teachers")


def _cosines(net: Perception, teacher: Perception, picture: Picture) -> dict[str, tuple[float, float]]:
    x = on_device(to_tensor([picture]), torch.device("cpu"))
    ours, theirs = net(x), teacher(x)
    found = {}
    for tap in TAPS:
        columns = F.cosine_similarity(widened(ours[tap]), widened(theirs[tap]), dim=2).mean()
        grams = F.cosine_similarity(ours[tap].gram().flatten(), theirs[tap].gram().flatten(), dim=0)
        found[tap] = (float(columns), float(grams))
    return found


def _seconds(net: Perception, x: Tensor, quick: bool) -> float:
    """The least of several runs."""
    took = []
    for _ in range(12):
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=quick):
            net(x)
        took.append(time.perf_counter() - started)
    return min(took)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--measure", action="store_true")
    words.add_argument("--out", type=Path, default=OWN_FILE)
    words.add_argument("--run", type=Path, default=Path("runs/perception"))
    words.add_argument("--steps", type=int, default=2500)
    words.add_argument("--batch", type=int, default=10)
    words.add_argument("--crop-px", type=int, default=96)
    words.add_argument("--seed", type=int, default=1)
    chosen = words.parse_args()
    measure() if chosen.measure else train(chosen)
