"""Train a GPT on the token shards of a workspace: tokens/ in, a run directory out.

The files, in the order in which a run uses them:

    config.py        model shapes and run settings, frozen
    scaling.py       default length, step size and learning rate
    dataset.py       tokens/dataset.json as streams of tokens
    mixture.py       stream weights that replace the dataset's
    start.py         command options to a run's configuration
    order.py         which window is sample i: a pure function
    loader.py        windows and documents from mapped shards
    torch_dataset.py the same samples as a PyTorch dataset, for other training loops
    device.py        device, precision, deterministic kernels
    versions.py      versions of torch that were tried
    failures.py      errors of torch as one line
    peaks.py         peak speed by the exact name of a GPU
    distributed.py   one process, or several under torchrun
    guard.py         one trainer per run, a checkpoint on SIGTERM
    memory.py        memory estimate before the run starts
    model.py         the transformer
    attention.py     attention over a window or inside documents
    narrow_attention.py  attention in bf16 on one thread of a CPU
    fused.py         hand-written gradients for CPUs
    fp8.py           products in fp8
    tuning.py        what the device decides: micro-batch, compilation, attention
    loss.py          cross-entropy in blocks of rows, z-loss
    sharding.py      a model divided among processes
    optimizer.py     which parameter is optimized how, learning-rate schedule
    muon.py          the Muon optimizer
    staging.py       a step's tokens on their way to the device
    engine.py        gradient and update of one step
    spikes.py        which steps are skipped
    standstill.py    whether a run learns anything
    loop.py          train()
    evaluate.py      bits per byte of the validation documents
    report.py        tables, warnings and the progress line
    log.py           log.jsonl
    checkpoint.py    atomic, hashed checkpoints without pickle
    tensors.py       safetensors files
    reference.py     a plain GPT to compare speed with
    random_shards.py a workspace of random tokens
    benchmark.py     speed and memory of steps

What reads a finished run is in corpus/inference/.

Importing this package imports neither torch nor Beam; torch_dataset, model, loss, optimizer, checkpoint, evaluate and
loop need the `train` extra.
"""
