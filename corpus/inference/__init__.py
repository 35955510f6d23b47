"""What is done with a run that `corpus train` wrote: its folder is enough, its workspace may be gone.

    run.py        configuration, tokenizer and model of a checkpoint
    texts.py      bits per byte of any text               cloze.py   multiple choice by likelihood
    generate.py   text that follows a prompt              utf8.py    tokens that keep it whole characters
    export.py     the model as transformers reads it      trace.py   a step's documents (of the workspace)

The trainer knows nothing of this package. Importing it pulls in no torch; what it is made of needs the `train` extra.
"""
