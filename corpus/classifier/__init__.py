"""Quality classifiers: train fastText models on two collections, and score documents with them.

The files, in the order in which data meets them:

    training_texts.py  read training texts from files, folders and workspaces
    training.py        select texts, hold some out, train, write the model and its card
    quality_model.py   the model card, the input line of fastText, scores
"""
