"""ResNet34 with temporal statistics pooling, as WeSpeaker trains it, over clips of different lengths at once.

He et al. (2016), basic blocks 3-4-6-3 with 32 to 256 channels; mean and standard deviation over time; one linear layer.
What lies past a clip's end is silenced after every layer, as a convolution's own padding would be.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_BLOCKS = (3, 4, 6, 3)
_CHANNELS = 32


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1: nn.Module = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(n_out)
        self.conv2: nn.Module = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2: nn.Module = nn.BatchNorm2d(n_out)
        changes = stride != 1 or n_in != n_out
        around = [nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False), nn.BatchNorm2d(n_out)]
        self.shortcut = nn.Sequential(*(around if changes else []))

    def forward(self, y: torch.Tensor, live: torch.Tensor | None) -> torch.Tensor:
        inner = _ended(self.bn1(self.conv1(y)), live)
        return _ended(self.bn2(self.conv2(inner)).add_(self.shortcut(y)), live)

    def fold(self) -> None:
        """Put the normalisations into the convolutions before them: for inference the same sums, in fewer passes."""
        self.conv1, self.bn1 = _folded(self.conv1, self.bn1)
        self.conv2, self.bn2 = _folded(self.conv2, self.bn2)
        if len(self.shortcut):
            self.shortcut = nn.Sequential(*_folded(*self.shortcut))


class ResNet34(nn.Module):
    """Log-mels [shape=(n, n_frames, 80)] and true frame counts [shape=(n,)] to raw vectors [shape=(n, 256)]."""

    def __init__(self, n_mels: int, dimension: int) -> None:
        super().__init__()
        self.conv1: nn.Module = nn.Conv2d(1, _CHANNELS, 3, padding=1, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(_CHANNELS)
        n_in = _CHANNELS
        for k, n_blocks in enumerate(_BLOCKS):
            n_out, layer = _CHANNELS * 2**k, []
            for b in range(n_blocks):
                layer.append(Block(n_in, n_out, 2 if k and not b else 1))
                n_in = n_out
            self.add_module(f"layer{k + 1}", nn.ModuleList(layer))
        self.seg_1 = nn.Linear(n_in * (n_mels // 8) * 2, dimension)

    def forward(self, mels: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        padded = len(mels) > 1
        live = _live(frames, mels.shape[1]) if padded else None
        y = mels.transpose(1, 2)[:, None]
        y = _ended(self.bn1(self.conv1(y if live is None else y * live)), live)
        for k in range(len(_BLOCKS)):
            if k:
                frames = (frames + 1) // 2
                live = _live(frames, (y.shape[3] + 1) // 2) if padded else None
            for block in self.get_submodule(f"layer{k + 1}").children():
                y = block(y, live)
        vectors: torch.Tensor = self.seg_1(_statistics(y.flatten(1, 2), frames))
        return vectors

    def fold(self) -> None:
        """Every block's normalisations and the first one's, into their convolutions."""
        self.conv1, self.bn1 = _folded(self.conv1, self.bn1)
        for module in self.modules():
            if isinstance(module, Block):
                module.fold()


def build(state: dict[str, torch.Tensor]) -> ResNet34:
    """The network with a checkpoint's weights, whose names begin with `resnet.`.

    Raises:
        RuntimeError: names or shapes are not this network's.
    """
    own = {k.removeprefix("resnet."): v for k, v in state.items() if k.startswith("resnet.")}
    dimension, n_stats = own["seg_1.weight"].shape
    network = ResNet34(n_stats // (2 * _CHANNELS), dimension)
    network.load_state_dict(own, strict=True)
    network.eval().fold()
    return network


def _folded(convolution: nn.Module, normalisation: nn.Module) -> tuple[nn.Module, nn.Module]:
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(normalisation, nn.BatchNorm2d)
    return fuse_conv_bn_eval(convolution, normalisation), nn.Identity()


def _ended(y: torch.Tensor, live: torch.Tensor | None) -> torch.Tensor:
    """Rectified in place, and silenced past the end where clips were padded together."""
    return y.relu_() if live is None else y.relu_().mul_(live)


def _live(frames: torch.Tensor, n: int) -> torch.Tensor:
    """1 where a frame is real [shape=(n_clips, 1, 1, n)]."""
    return (torch.arange(n, device=frames.device) < frames[:, None]).float()[:, None, None, :]


def _statistics(y: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Mean and unbiased standard deviation over real frames [shape=(n, 2 * features)] of y [shape=(n, features, t)]."""
    n = frames[:, None].float()
    live = (torch.arange(y.shape[2], device=y.device) < frames[:, None]).float()[:, None, :]
    mean = (y * live).sum(2) / n
    var = ((y - mean[:, :, None]).square() * live).sum(2) / (n - 1).clamp_min(1)
    return torch.cat([mean, var.sqrt()], dim=1)
