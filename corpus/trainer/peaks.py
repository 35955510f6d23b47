"""Peak speed of GPUs in bf16, by the exact name that their driver reports.

Utilization (MFU) is a share of this peak. A look-alike can be three times slower (L4, L40, L40S), so no part of a name
is enough, and a GPU that is not listed has no peak: slices (MIG), virtual and laptop GPUs, partitions, new models, and
those of which no figure by the maker is known. The source stands with each family; one that counts sparsity is halved.
"""

from __future__ import annotations

import re

PEAK_BF16_FLOPS: dict[str, float] = {
    # Data sheets "NVIDIA H100 Tensor Core GPU" and "NVIDIA H200 Tensor Core GPU": with sparsity SXM 1,979, NVL 1,671,
    # and the H100 PCIe of 2022 1,513. "NVIDIA GH200 Grace Hopper Superchip": 1,979 and 990. White paper "NVIDIA H100
    # Tensor Core GPU Architecture": 989.4.
    r"NVIDIA H100 80GB HBM3": 989.4e12,
    r"NVIDIA H100 PCIe": 756.5e12,
    r"NVIDIA H100 NVL": 835.5e12,
    r"NVIDIA H200": 989.4e12,
    r"NVIDIA H200 NVL": 835.5e12,
    r"NVIDIA GH200 (480GB|120GB|96GB HBM3|144G HBM3e)": 989.4e12,
    # Data sheets "NVIDIA Blackwell" (HGX B200, GB200 NVL72) and "NVIDIA Blackwell Ultra" (HGX B300, GB300 NVL72), of
    # each GPU, with sparsity: 4.5 PFLOPS in HGX, 5 in NVL72.
    r"NVIDIA B200": 2_250e12,
    r"NVIDIA B300( SXM6 AC)?": 2_250e12,
    r"NVIDIA GB[23]00": 2_500e12,
    # Data sheets "NVIDIA A100 Tensor Core GPU", "NVIDIA A30", "NVIDIA A10", "NVIDIA A40", each without and with
    # sparsity; "NVIDIA A10G" of AWS: 70 and 140. Drivers before 470 leave out "NVIDIA".
    r"(NVIDIA )?A100-(SXM4-[48]0GB|PCIE-40GB)|NVIDIA A100 80GB PCIe": 312e12,
    r"(NVIDIA )?A30": 165e12,
    r"(NVIDIA )?A10": 125e12,
    r"NVIDIA A10G": 70e12,
    r"(NVIDIA )?A40": 149.7e12,
    # Data sheets "NVIDIA L4": 242 with sparsity; "NVIDIA L40": 181.05 and 362.1; "NVIDIA L40S": 733 with sparsity, as
    # much as in fp8 without, of which this is half (the sheet of 2023 has 362.05 beside it, almost the L40's with
    # sparsity).
    r"NVIDIA L4": 121e12,
    r"NVIDIA L40": 181.05e12,
    r"NVIDIA L40S": 366.5e12,
    # White papers, rows "Peak BF16 Tensor TFLOPS with FP32 Accumulate": "NVIDIA RTX Blackwell GPU Architecture", table
    # 3 (RTX 3090, 4090, 5090); "NVIDIA Ampere GA102 GPU Architecture" (A6000); "NVIDIA RTX Blackwell PRO GPU
    # Architecture", table 4 (RTX 6000 Ada, RTX PRO 6000).
    r"(NVIDIA )?GeForce RTX 3090": 71.2e12,
    r"NVIDIA GeForce RTX 4090": 165.2e12,
    r"NVIDIA GeForce RTX 5090": 209.5e12,
    r"(NVIDIA )?RTX A6000": 154.8e12,
    r"NVIDIA RTX 6000 Ada Generation": 364e12,
    r"NVIDIA RTX PRO 6000 Blackwell Workstation Edition": 503.8e12,
    # Data sheets "AMD Instinct MI210", "AMD Instinct MI200 Series" (MI250X: 383), "AMD Instinct MI300X", "AMD Instinct
    # MI325X". A torch device is one of the two dies of an MI250X.
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
