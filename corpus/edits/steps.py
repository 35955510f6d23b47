"""The names of the steps that find edits."""

from __future__ import annotations

CLEAN_STEP = "clean"
"""The step of `corpus.pipelines.clean`."""
PRIVATE_STEP = "private"
"""The step of `corpus.pipelines.redact`."""
REPEATS_STEP = "repeats"
"""The step of `corpus.pipelines.repeats`."""
DECONTAMINATION_STEP = "decontamination"
"""The step of `corpus.pipelines.decontaminate`."""
EDIT_STEPS = (CLEAN_STEP, PRIVATE_STEP, REPEATS_STEP, DECONTAMINATION_STEP)
"""The steps that find edits, in the order in which they are listed."""
