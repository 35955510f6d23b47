"""Use a run that `corpus train` wrote: evaluate, generate, export, trace. Only its folder is needed, not its workspace.

The files; all but run.py are independent of one another, except that generate.py uses utf8.py:

    run.py                   configuration, tokenizer and model of a checkpoint
    texts.py                 bits per byte of any text (by trainer/evaluate.py)
    cloze.py                 multiple choice by likelihood
    generate.py              text that continues a prompt
    utf8.py                  tokens that keep generated text valid UTF-8
    transformers_export.py   the model as Hugging Face transformers reads it
    trace.py                 the documents of a training step (needs the workspace)
    clean_items.py           items of an evaluation file in the training documents (needs the workspace)

The trainer does not import this package. Importing it does not import torch; its modules need the `train` extra.
"""
