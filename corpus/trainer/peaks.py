"""Peak speed of GPUs in bf16, by the exact name that their driver reports.

Utilization (MFU) is a share of this peak. A look-alike can be three times slower (L4, L40, L40S), so no part of a name
is enough, and a GPU that is not listed has no peak: slices (MIG), virtual and laptop GPUs, partitions, new models.
"""

from __future__ import annotations

import re

PEAK_BF16_FLOPS: dict[str, float] = {
    # NVIDIA H100, H200, GH200 data sheets; their figures are with sparsity, twice these.
    r"NVIDIA H100 80GB HBM3": 989.4e12,  # SXM: 1,979
    r"NVIDIA H100 PCIe": 756.5e12,  # 1,513
    r"NVIDIA H100 NVL": 835.5e12,  # 1,671
    r"NVIDIA H200": 989.4e12,  # SXM: 1,979
    r"NVIDIA H200 NVL": 835.5e12,  # 1,671
    r"NVIDIA GH200 (480GB|120GB|96GB HBM3|144G HBM3e)": 989.4e12,  # 1,979
    # NVIDIA HGX and GB200, GB300 NVL72 data sheets, with sparsity: 36 PFLOPS of 8 GPUs, 360 of 72.
    r"NVIDIA B200": 2_250e12,
    r"NVIDIA B300( SXM6 AC)?": 2_250e12,
    r"NVIDIA GB[23]00": 2_500e12,
    # NVIDIA A100, A30, A10, A40, L4, L40, L40S data sheets; AWS's data sheet of the A10G; drivers before 470 leave out
    # "NVIDIA".
    r"(NVIDIA )?A100-(SXM4-[48]0GB|PCIE-40GB)|NVIDIA A100 80GB PCIe": 312e12,
    r"(NVIDIA )?A30": 165e12,
    r"(NVIDIA )?A10": 125e12,
    r"NVIDIA A10G": 70e12,
    r"(NVIDIA )?A40": 149.7e12,
    r"NVIDIA L4": 121e12,
    r"NVIDIA L40": 181.05e12,
    r"NVIDIA L40S": 362.05e12,
    # NVIDIA's papers on the architectures GA102, Ada and RTX Blackwell: bf16, accumulated in fp32.
    r"(NVIDIA )?GeForce RTX 3090": 71e12,
    r"(NVIDIA )?GeForce RTX 3090 Ti": 80e12,
    r"(NVIDIA )?RTX A6000": 154.8e12,
    r"NVIDIA GeForce RTX 4090": 165.2e12,
    r"NVIDIA RTX 6000 Ada Generation": 364.2e12,
    r"NVIDIA GeForce RTX 5090": 209.5e12,
    r"NVIDIA RTX PRO 6000 Blackwell Workstation Edition": 503.8e12,
    # AMD Instinct data sheets; a torch device is one of the two dies of an MI250X (383).
    r"AMD Instinct MI210": 181e12,
    r"AMD Instinct MI250X": 191.5e12,
    r"AMD Instinct MI300X": 1_307.4e12,
    r"AMD Instinct MI325X": 1_307.4e12,
}
"""Dense bf16 operations per second by a pattern of the whole name."""
AMD_COMPUTE_UNITS = {"MI210": 104, "MI250X": 110, "MI300X": 304, "MI325X": 304}
"""Compute units of a whole AMD device: its partitions have fewer, under the same name."""


def find_peak_flops(name: str, multiprocessors: int) -> float | None:
    """Return the dense bf16 operations per second of the GPU that torch calls `name`, None if they are not known.

    `multiprocessors` is torch's number of multiprocessors or compute units.
    """
    units = AMD_COMPUTE_UNITS.get(name.removeprefix("AMD Instinct "), multiprocessors)
    if units != multiprocessors:
        return None
    return next((peak for pattern, peak in PEAK_BF16_FLOPS.items() if re.fullmatch(pattern, name)), None)
