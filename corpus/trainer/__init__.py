"""A GPT trainer bound to the corpus it is fed: tokens/ in, a run directory out.

Of a run, in the order in which they come:

    config.py    sizes and settings, frozen           start.py       from options to settings
    scaling.py   how long, how large, how fast        mixture.py     weights in place of the dataset's
    dataset.py   tokens/dataset.json as streams       order.py       which window is sample i: a pure function
    loader.py    mapped shards, windows, documents    memory.py      what will it need
    model.py     the transformer                      attention.py   whole windows, or inside documents
    fused.py     its pieces, for CPUs                 loss.py        cross-entropy in blocks, z-loss
    optimizer.py who optimizes what; muon.py          engine.py      a step on a device
    distributed.py  one process or several            guard.py       one trainer a run, a stop that saves
    spikes.py    steps that are skipped               checkpoint.py  atomic, hashed, without pickle
    tensors.py   safetensors files                    log.py         log.jsonl
    report.py    tables, warnings, progress line      evaluate.py    bits per byte
    loop.py      train()                              sharding.py    a model divided among processes

What is done with a run afterwards is in corpus/trained/.

Importing this package pulls in neither torch nor Beam; model, loss, optimizer, checkpoint, evaluate and loop need the
`train` extra.
"""
