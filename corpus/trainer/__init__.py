"""A GPT trainer bound to the corpus it is fed: tokens/ in, a run directory out.

    config.py      sizes and settings of a run, as frozen data
    dataset.py     tokens/dataset.json: streams, mixture, what a run will see of each
    order.py       which window is sample i: a pure function of (fingerprint, seed, i)
    loader.py      memory-mapped shards, windows without copies of the shard
    model.py       the transformer                    loss.py        cross-entropy in blocks
    optimizer.py   AdamW and the learning rate        evaluate.py    bits per byte
    checkpoint.py  atomic, hashed, without pickle     loop.py        train()
    report.py      table, progress line, log.jsonl    generate.py    text from a run

Importing this package pulls in neither torch nor Beam; model, loss, optimizer, checkpoint, evaluate, loop and
generate need the `train` extra.
"""
