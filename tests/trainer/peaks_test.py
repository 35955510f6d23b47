"""Peaks of GPUs: each by its exact name, none for those that only look alike."""

from __future__ import annotations

import pytest
import torch

from corpus.trainer import device
from corpus.trainer.peaks import PEAK_BF16_FLOPS, find_peak_flops

TERAFLOPS = {
    "NVIDIA H100 80GB HBM3": 989.4,
    "NVIDIA H100 PCIe": 756.5,
    "NVIDIA H100 NVL": 835.5,
    "NVIDIA H200": 989.4,
    "NVIDIA H200 NVL": 835.5,
    "NVIDIA GH200 480GB": 989.4,
    "NVIDIA GH200 120GB": 989.4,
    "NVIDIA B200": 2250,
    "NVIDIA B300 SXM6 AC": 2250,
    "NVIDIA GB200": 2500,
    "NVIDIA GB300": 2500,
    "NVIDIA A100-SXM4-40GB": 312,
    "NVIDIA A100-SXM4-80GB": 312,
    "A100-SXM4-40GB": 312,
    "NVIDIA A100-PCIE-40GB": 312,
    "NVIDIA A100 80GB PCIe": 312,
    "NVIDIA A30": 165,
    "NVIDIA A10": 125,
    "NVIDIA A10G": 70,
    "NVIDIA A40": 149.7,
    "NVIDIA L4": 121,
    "NVIDIA L40": 181.05,
    "NVIDIA L40S": 366.5,
    "NVIDIA GeForce RTX 3090": 71.2,
    "NVIDIA GeForce RTX 4090": 165.2,
    "NVIDIA GeForce RTX 5090": 209.5,
    "NVIDIA RTX A6000": 154.8,
    "NVIDIA RTX 6000 Ada Generation": 364,
    "NVIDIA RTX PRO 6000 Blackwell Workstation Edition": 503.8,
}
"""Names as drivers report them, and dense bf16 TFLOPS."""
UNKNOWN = [
    "Tesla T4",  # no bf16
    "Tesla V100-SXM2-32GB",  # no bf16
    "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
    "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
    "NVIDIA A10-24Q",
    "GRID A100D-80C",
    "NVIDIA A10M",
    "NVIDIA A100X",
    "NVIDIA L40G",
    "NVIDIA L400",
    "NVIDIA L20",
    "NVIDIA H20",
    "NVIDIA H800",
    "NVIDIA GeForce RTX 3090 Ti",
    "NVIDIA GeForce RTX 4090 D",
    "NVIDIA GeForce RTX 4090 Laptop GPU",
    "NVIDIA GeForce RTX 5090 D",
    "NVIDIA GeForce RTX 5090 Laptop GPU",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition",
    "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
    "NVIDIA RTX 4000 Ada Generation",
    "Quadro RTX 6000",
    "AMD Instinct MI250X / MI250",
    "AMD Instinct MI308X",
    "",
]


@pytest.mark.parametrize("name", TERAFLOPS)
def test_a_gpu_has_the_peak_of_its_own_data_sheet(name: str) -> None:
    assert find_peak_flops(name, 100) == pytest.approx(TERAFLOPS[name] * 1e12)


@pytest.mark.parametrize("name", UNKNOWN)
def test_no_peak_is_said_of_a_gpu_that_only_looks_like_one(name: str) -> None:
    assert find_peak_flops(name, 100) is None


@pytest.mark.parametrize(
    ("name", "units", "peak"),
    [
        ("AMD Instinct MI210", 104, 181e12),
        ("AMD Instinct MI250X", 110, 191.5e12),
        ("AMD Instinct MI300X", 304, 1307.4e12),
        ("AMD Instinct MI325X", 304, 1307.4e12),
        ("AMD Instinct MI325X", 38, None),
        ("AMD Instinct MI300X", 152, None),
    ],
)
def test_a_partition_of_an_amd_gpu_has_no_peak(name: str, units: int, peak: float | None) -> None:
    assert find_peak_flops(name, units) == peak


def test_every_pattern_is_that_of_a_name_above() -> None:
    named = [*TERAFLOPS, *(f"AMD Instinct {model}" for model in ("MI210", "MI250X", "MI300X", "MI325X"))]
    units = {"MI210": 104, "MI250X": 110, "MI300X": 304, "MI325X": 304}
    reached = {find_peak_flops(name, units.get(name.split()[-1], 1)) for name in named}
    assert reached == set(PEAK_BF16_FLOPS.values())


def test_the_device_is_asked_for_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        name, multi_processor_count = "NVIDIA L40S", 142

    asked: list[object] = []
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda where: asked.append(where) or Properties()
    )
    assert device.peak_flops(torch.device("cuda:1")) == 366.5e12
    assert asked == [torch.device("cuda:1")]
    assert device.peak_flops(torch.device("cpu")) is None
