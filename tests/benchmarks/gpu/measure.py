"""Measure the trainer on a GPU, all of it in one call: speed beside peers, resuming, memory, checkpoints, NCCL.

    python -m tests.benchmarks.gpu.measure --out OUT --nanogpt nanoGPT --nanochat nanochat     # ten minutes
    python -m tests.benchmarks.gpu.measure --out OUT --nanogpt ... --nanochat ... --dry        # on a CPU, tiny sizes

Peers are checkouts of their published code, which run unchanged: nanoGPT's train.py in a copy of its folder; of
nanochat the model and the optimizer, in the order of its base_train.py, on random tokens that lie on the device
(its script needs its own data). Without FlashAttention 3, which nanochat would take from the network.

Each part runs in a process of its own, forked when torch has been imported; one that fails or takes too long is
reported, and the others go on. OUT gets results.jsonl (a line for each part as it ends), table.md and logs.txt.
Parts that no longer fit into --seconds are left out and named. Beyond torch this needs what `corpus train` imports.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault(
    "PYTORCH_NVML_BASED_CUDA_CHECK", "1"
)  # looking for GPUs must not begin to use one: see fork

import numpy as np
import torch
from rich.console import Console
from torch.nn.parallel import DistributedDataParallel

from corpus.trainer import checkpoint, loop
from corpus.trainer.benchmark import describe_machine, measure_plain, measure_trainer, random_batch
from corpus.trainer.config import RunConfig, find_size
from corpus.trainer.dataset import open_dataset
from corpus.trainer.device import peak_flops, use_deterministic_kernels
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine
from corpus.trainer.random_shards import write_random_workspace
from corpus.trainer.sharding import divide_model
from corpus.trainer.start import configure_new_run
from corpus.trainer.tuning import time_kernels, tune_run
from tests.benchmarks import bench

BEGIN = time.monotonic()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale:
    """A size at which all sides are measured."""

    name: str
    size: str
    context: int
    step_tokens: int
    micro_tokens: int
    """Of the peers; the trainer chooses its own."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    device: torch.device
    vocabulary: int
    large: Scale
    larger: Scale
    steps: int
    compile: bool
    work: Path
    nanogpt: Path | None
    nanochat: Path | None

    def workspace(self) -> str:
        return str(self.work / "random")


def make_setting(options: Any, work: Path) -> Setting:
    if options.dry:
        tiny = Scale(name="1m/64", size="1m", context=64, step_tokens=512, micro_tokens=256)
        return Setting(
            device=torch.device("cpu"), vocabulary=512, large=tiny,
            larger=dataclasses.replace(tiny, name="d2/32", size="d2", context=32), steps=2, compile=False,
            work=work, nanogpt=options.nanogpt, nanochat=options.nanochat,
        )  # fmt: skip
    return Setting(
        device=torch.device("cuda:0"), vocabulary=50_304,
        large=Scale(name="124M/1024", size="gpt2", context=1024, step_tokens=524_288, micro_tokens=65_536),
        larger=Scale(name="350M/2048", size="gpt2-medium", context=2048, step_tokens=262_144, micro_tokens=32_768),
        steps=8, compile=True, work=work, nanogpt=options.nanogpt, nanochat=options.nanochat,
    )  # fmt: skip


def configure(setting: Setting, scale: Scale, **options: Any) -> RunConfig:
    """The configuration that `corpus train` would choose on this device for a long run, but for `options`."""
    given = {
        "size": scale.size,
        "context": scale.context,
        "batch_tokens": scale.step_tokens,
        "steps": 100_000,
    }
    dataset = open_dataset(setting.workspace())
    config = configure_new_run(dataset, setting.workspace(), {**given, **options})
    return tune_run(config, setting.device, World())[0]


def ours(setting: Setting, scale: Scale, **options: Any) -> dict[str, Any]:
    config = configure(setting, scale, **options)
    with use_deterministic_kernels(config.deterministic):
        measured = measure_trainer(config, setting.device, setting.steps, print)
    chosen = {
        "scale": scale.name, "compile": config.compile, "attention": config.attention,
        "micro_tokens": config.micro_samples * config.model.context, "options": options,
    }  # fmt: skip
    return {**measured.json(), **chosen}


def plain(setting: Setting, scale: Scale) -> dict[str, Any]:
    """The plain step of `corpus bench train`, by which figures from other machines can be compared."""
    config = configure(setting, scale, micro_tokens=scale.micro_tokens)
    return {**measure_plain(config, setting.device, setting.steps, print).json(), "scale": scale.name}


def summarize_peer(
    setting: Setting, scale: Scale, name: str, seconds: list[float], *, multiplied: int, memory: float
) -> dict[str, Any]:
    """A peer's figures as those of ours; `multiplied` counts the parameters of its matrices, output layer once."""
    shape = find_size(scale.size).model(vocabulary=setting.vocabulary, context=scale.context)
    middle = statistics.median(seconds[3:])
    speed = scale.step_tokens / middle
    peak = peak_flops(setting.device)
    flops = 6 * multiplied + 12 * shape.depth * shape.width * scale.context
    return {
        "name": name, "scale": scale.name, "tokens_per_second": speed, "step_seconds": middle,
        "fastest_seconds": min(seconds[3:]), "slowest_seconds": max(seconds[3:]), "first_step_seconds": seconds[0],
        "mfu": speed * flops / peak if peak else None, "memory_bytes": memory, "parameters": multiplied,
        "micro_tokens": scale.micro_tokens,
    }  # fmt: skip


NANOGPT_HOOK = """
import atexit, runpy, sys, torch
if torch.cuda.is_available():
    atexit.register(lambda: print('PEAK', torch.cuda.max_memory_allocated(), flush=True))
sys.argv = ['train.py', *sys.argv[1:]]
runpy.run_path('train.py', run_name='__main__')
"""


def nanogpt(setting: Setting, scale: Scale) -> dict[str, Any]:
    """nanoGPT's train.py, in a copy of its folder, with a file of random tokens for its data."""
    assert setting.nanogpt is not None
    folder = setting.work / "nanogpt"
    if not folder.exists():
        folder.mkdir()
        for path in setting.nanogpt.glob("*.py"):
            shutil.copy(path, folder)
        data = folder / "data" / "random"
        data.mkdir(parents=True)
        random = np.random.default_rng(0)
        for name, count in (("train", 20_000_000), ("val", 1_000_000)):
            random.integers(1, setting.vocabulary, count, dtype=np.uint16).tofile(data / f"{name}.bin")
    shape = find_size(scale.size).model(vocabulary=setting.vocabulary, context=scale.context)
    gpu = setting.device.type == "cuda"
    settings = {
        "dataset": "random", "batch_size": scale.micro_tokens // scale.context, "block_size": scale.context,
        "gradient_accumulation_steps": scale.step_tokens // scale.micro_tokens, "max_iters": setting.steps + 3,
        "eval_interval": 1_000_000, "eval_iters": 1, "log_interval": 1, "always_save_checkpoint": False,
        "n_layer": shape.depth, "n_head": shape.heads, "n_embd": shape.width, "dropout": 0.0, "bias": False,
        "compile": setting.compile, "device": "cuda" if gpu else "cpu", "dtype": "bfloat16" if gpu else "float32",
        "out_dir": "out",
    }  # fmt: skip
    command = [sys.executable, "-c", NANOGPT_HOOK, *(f"--{name}={value}" for name, value in settings.items())]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    seconds = [float(each) / 1e3 for each in re.findall(r"iter \d+: loss \S+, time ([\d.]+)ms", done.stdout)]
    peak = re.search(r"PEAK (\d+)", done.stdout)
    if done.returncode or len(seconds) < 4:
        raise RuntimeError(f"nanoGPT's train.py ended with {done.returncode}: {done.stderr[-400:]}")
    # Its model has GPT-2's 50,304 tokens whatever the data has.
    multiplied = 12 * shape.depth * shape.width**2 + 50_304 * shape.width
    return summarize_peer(
        setting, scale, "nanoGPT", seconds, multiplied=multiplied, memory=float(peak[1]) if peak else 0.0
    )


def nanochat(setting: Setting, scale: Scale, head_width: int = 64) -> dict[str, Any]:
    """nanochat's model and optimizer: micro-batches, the optimizer's step, gradients set to none, one wait."""
    sys.path.insert(0, str(setting.nanochat))
    from nanochat.gpt import GPT, GPTConfig  # type: ignore[import-not-found]

    device = setting.device
    gpu = device.type == "cuda"
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(42)
    shape = find_size(scale.size).model(vocabulary=setting.vocabulary, context=scale.context)
    heads = max(1, shape.width // head_width)
    config = GPTConfig(
        sequence_len=scale.context, vocab_size=setting.vocabulary, n_layer=shape.depth, n_head=heads,
        n_kv_head=heads, n_embd=heads * head_width, window_pattern="L",
    )  # fmt: skip
    with torch.device("meta"):
        model = GPT(config)
    model.to_empty(device=device)
    model.init_weights()
    optimizer = model.setup_optimizer()
    run = torch.compile(model, dynamic=False) if setting.compile else model
    samples, parts = scale.micro_tokens // scale.context, scale.step_tokens // scale.micro_tokens
    data = [
        torch.randint(0, setting.vocabulary, (samples, scale.context + 1), device=device) for _ in range(4)
    ]
    seconds = []
    for step in range(setting.steps + 3):
        begin = time.perf_counter()
        for part in range(parts):
            tokens = data[(step + part) % 4]
            loss = run(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())
            (loss / parts).backward()
        optimizer.step()
        model.zero_grad(set_to_none=True)
        print(f"nanochat step {step + 1}: loss {loss.item():.4f}")
        if gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
    multiplied = sum(m.weight.numel() for m in model.modules() if isinstance(m, torch.nn.Linear))
    memory = float(torch.cuda.max_memory_allocated()) if gpu else 0.0
    name = f"nanochat, heads of {head_width}"
    return summarize_peer(setting, scale, name, seconds, multiplied=multiplied, memory=memory)


def resume(setting: Setting, **options: Any) -> dict[str, Any]:
    """Six steps in one go, and three, then three more: are parameters, optimizer and losses the same bits?"""
    small = dataclasses.replace(setting.large, size="1m" if setting.device.type == "cpu" else "small")
    small = dataclasses.replace(small, step_tokens=16 * small.context)
    config = configure(setting, small, micro_tokens=4 * small.context, evaluate_every=0, **options)
    config = dataclasses.replace(config, steps=6, decay=0.0, warmup=0.0)
    runs = [setting.work / f"resume-{name}-{time.monotonic_ns()}" for name in ("whole", "parts")]
    train_quietly(setting, config, runs[0])
    train_quietly(setting, dataclasses.replace(config, steps=3), runs[1])
    train_quietly(setting, config, runs[1])
    whole, parts = (checkpoint.read_newest(run / "checkpoint", print) for run in runs)
    assert whole is not None and parts is not None
    differ = [
        name
        for one, other in ((whole.model, parts.model), (whole.training, parts.training))
        for name in one
        if not torch.equal(one[name], other[name])
    ]
    losses = [[entry["loss"] for entry in read_steps(run)] for run in runs]
    return {"same_bits": not differ and losses[0] == losses[1], "differ": differ[:5], "losses": losses,
            "compile": config.compile, "options": options}  # fmt: skip


def train_quietly(setting: Setting, config: RunConfig, run: Path) -> loop.TrainingResult:
    return loop.train(config, run, device=str(setting.device), console=Console(stderr=True))


def read_steps(run: Path) -> list[dict[str, Any]]:
    entries = map(json.loads, (run / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [entry for entry in entries if entry["kind"] == "step"]


def hold_up(setting: Setting) -> dict[str, Any]:
    """How long a checkpoint holds training up: the time from the end of one step to the end of the next, at each."""
    config = configure(setting, setting.large, evaluate_every=0, compile=False)
    config = dataclasses.replace(config, steps=10, save_every=4, evaluate_tokens=1)
    ends: list[float] = []
    step = loop._Trainer._train_step

    def train_step(self: Any, caught: list[str]) -> dict[str, float]:
        entry = step(self, caught)
        ends.append(time.perf_counter())
        return entry

    loop._Trainer._train_step = train_step  # type: ignore[method-assign]
    train_quietly(setting, config, setting.work / "hold-up")
    between = [after - before for before, after in itertools.pairwise(ends)]
    usual = statistics.median(between)
    # between[i] is step i + 2; a save follows steps 4 and 8.
    return {"step_seconds": usual, "hold_up_seconds": [between[3] - usual, between[7] - usual]}


def one_process(setting: Setting, **options: Any) -> dict[str, Any]:
    """DDP and FSDP2 with one process (NCCL on a GPU, gloo on a CPU): the losses and norms of the plain engine."""
    config = configure(setting, setting.large, **options)
    config = dataclasses.replace(config, batch_samples=2 * min(4, config.micro_samples), micro_samples=4)
    device = setting.device
    file = setting.work / f"store-{time.monotonic_ns()}"
    torch.distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo", init_method=f"file://{file}", rank=0, world_size=1
    )
    numbers: dict[str, list[float]] = {}
    for name in ("alone", "ddp", "fsdp"):
        engine = Engine(
            dataclasses.replace(config, compile=config.compile and name != "fsdp"), device, World()
        )
        if name == "ddp":
            engine.parallel = DistributedDataParallel(engine.model, gradient_as_bucket_view=True)
        elif name == "fsdp":
            if config.compile:
                engine._compile_parts()
            divide_model(engine.model, device, 1)
            engine = with_optimizers(engine)
        for step in range(3):
            loss = engine.backward(random_batch(config, step), config.step_tokens)
            numbers.setdefault(name, []).extend(engine.read(loss, engine.clip()))
            engine.update(1e-3)
    torch.distributed.destroy_process_group()
    alone = np.array(numbers["alone"])
    largest = {name: float(np.abs(np.array(values) / alone - 1).max()) for name, values in numbers.items()}
    return {"numbers": numbers, "largest_difference": largest, "compile": config.compile}


def with_optimizers(engine: Engine) -> Engine:
    """The engine with optimizers of the parameters that its model has now."""
    from corpus.trainer.optimizer import make_optimizers

    engine.optimizers = make_optimizers(engine.model, engine.config, bf16=engine.bf16)
    return engine


def kernels(setting: Setting) -> dict[str, Any]:
    scales = (setting.large, setting.larger)
    return {scale.name: time_kernels(configure(setting, scale), setting.device) for scale in scales}


Part = tuple[str, float, Callable[[Setting], dict[str, Any]]]


def list_parts(setting: Setting) -> list[Part]:
    """What is measured: (name, seconds that it is given on a GPU, function), the most important first."""
    large, larger = setting.large, setting.larger
    tiny = Scale(name="tiny/256", size="tiny", context=256, step_tokens=16_384, micro_tokens=16_384)
    if setting.device.type == "cpu":
        tiny = dataclasses.replace(large, name="tiny")
    parts: list[Part] = [
        ("ours large", 90, lambda s: ours(s, large)),
        ("nanogpt large", 70, lambda s: nanogpt(s, large)),
        ("nanochat large", 80, lambda s: nanochat(s, large)),
        ("ours larger", 110, lambda s: ours(s, larger)),
        ("nanogpt larger", 80, lambda s: nanogpt(s, larger)),
        ("nanochat larger", 100, lambda s: nanochat(s, larger)),
        ("resume deterministic", 50, lambda s: resume(s, deterministic=True)),
        ("resume", 50, resume),
        ("kernels", 20, kernels),
        ("hold-up", 50, hold_up),
        ("one process", 60, lambda s: one_process(s, compile=False)),
        ("ours large, deterministic", 90, lambda s: ours(s, large, deterministic=True)),
        ("ours large, not compiled", 40, lambda s: ours(s, large, compile=False)),
        ("plain large", 60, lambda s: plain(s, large)),
        ("one process, compiled", 90, lambda s: one_process(s, compile=s.compile)),
        ("resume deterministic, compiled", 90, lambda s: resume(s, deterministic=True, compile=s.compile)),
        ("nanochat large, heads of 128", 80, lambda s: nanochat(s, large, 128)),
        ("ours large, documents masked", 60, lambda s: ours(s, large, mask_documents=True)),
        ("ours tiny, compiled", 40, lambda s: ours(s, tiny, compile=s.compile)),
        ("ours tiny, recorded", 40, lambda s: ours(s, tiny, compile=s.compile, cuda_graphs=s.compile)),
        ("ours large, fp8", 80, lambda s: ours(s, large, **({"precision": "fp8"} if s.compile else {}))),
        ("ours large, adamw", 70, lambda s: ours(s, large, optimizer="adamw")),
    ]
    there = {"nanogpt": setting.nanogpt, "nanochat": setting.nanochat}
    return [part for part in parts if there.get(part[0].split()[0], True)]


def run_part(part: Part, setting: Setting, out: Path, limit: float) -> dict[str, Any]:
    """Run a part in a process of its own, whose output goes to logs.txt; return its result or its error."""
    name, _, work = part
    begin = time.monotonic()
    result, log = setting.work / "result.json", setting.work / "log.txt"
    result.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        sys.stdout = sys.stderr = os.fdopen(descriptor, "w", buffering=1)
        status = 1
        try:
            made = {"machine": describe_machine(setting.device), **work(setting)}
            result.write_text(json.dumps(made))
            status = 0
        except BaseException as error:
            result.write_text(json.dumps({"error": f"{type(error).__name__}: {str(error)[:600]}"}))
            raise
        finally:
            if status:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(status)
    os.setpgid(child, child)  # here too, as either may come first
    late = False
    while not os.waitpid(child, os.WNOHANG)[0]:
        if late := time.monotonic() - begin > limit:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(0.05)
    with (out / "logs.txt").open("a", encoding="utf-8") as logs:
        logs.write(f"\n===== {name}\n{log.read_text(encoding='utf-8', errors='replace')[-20_000:]}")
    made = (
        json.loads(result.read_text())
        if result.exists() and not late
        else {"error": f"not done in {limit:.0f} s"}
    )
    return {"part": name, "wall_seconds": time.monotonic() - begin, **made}


def write_table(results: list[dict[str, Any]], out: Path) -> str:
    """Write table.md, the speeds as docs/training.md has them and the rest as it is; return it."""
    lines = [
        "| what | tokens/s | step | MFU | memory (said) | micro-batch | first step |",
        "|---|---|---|---|---|---|---|",
    ]
    others = []
    for row in results:
        if "tokens_per_second" not in row:
            others.append(
                f"- {row['part']}: {json.dumps({k: v for k, v in row.items() if k not in ('part', 'machine')})}"
            )
            continue
        mfu = "-" if row["mfu"] is None else f"{row['mfu']:.1%}"
        said = f" ({row['estimated_bytes'] / 1e9:.1f})" if row.get("estimated_bytes") else ""
        lines.append(
            f"| {row['part']}: {row['scale']} | {row['tokens_per_second']:,.0f} | "
            f"{1e3 * row['step_seconds']:,.0f} ms | {mfu} | {(row['memory_bytes'] or 0) / 1e9:.1f} GB{said} | "
            f"{row.get('micro_tokens', 0):,} | "
            f"{row['first_step_seconds']:.1f} s |"
        )
    machines = {json.dumps(row["machine"]) for row in results if "machine" in row}
    text = "\n".join([*lines, "", *others, "", *sorted(machines), ""])
    (out / "table.md").write_text(text, encoding="utf-8")
    return text


def parse(arguments: list[str] | None = None) -> Any:
    parser = bench.parser(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--nanogpt", type=lambda path: Path(path).resolve(), help="a checkout of nanoGPT")
    parser.add_argument("--nanochat", type=lambda path: Path(path).resolve(), help="a checkout of nanochat")
    parser.add_argument("--seconds", type=float, default=570, help="for all parts together")
    parser.add_argument("--only", nargs="*", help="parts whose names begin with one of these")
    parser.add_argument("--dry", action="store_true", help="on a CPU, tiny sizes, nothing compiled")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if options.dry:
        os.environ["TORCHDYNAMO_DISABLE"] = "1"  # nanochat's optimizer is compiled whatever one asks for
        torch._dynamo.config.disable = True
        torch.set_num_threads(1)
    results = []
    with tempfile.TemporaryDirectory(prefix="corpus-gpu-") as folder:
        setting = make_setting(options, Path(folder))
        tokens = 4 * 20 * setting.large.step_tokens if options.dry else 20_000_000
        write_random_workspace(Path(setting.workspace()), vocabulary=setting.vocabulary, tokens=tokens)
        for part in list_parts(setting):
            if options.only and not part[0].startswith(tuple(options.only)):
                continue
            left = options.seconds - (time.monotonic() - BEGIN)
            if left < part[1] / 2:
                result: dict[str, Any] = {"part": part[0], "error": f"left out: {left:.0f} s were left"}
            else:
                result = run_part(part, setting, out, min(left, 1.5 * part[1]))
            results.append(result)
            with (out / "results.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
            print(f"{time.monotonic() - BEGIN:5.0f} s  {part[0]}: {result.get('error', 'done')}", flush=True)
            write_table(results, out)
    print(write_table(results, out))
    if any("error" in result for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
