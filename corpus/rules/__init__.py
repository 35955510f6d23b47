"""Rules: bounds on signals that decide which documents pass.

The files, in the order in which data meets them:

    presets.py        read rules: manifests/rules (presets), manifests/languages (corrections), the manifest
    rule.py           bounds, and the documents that fail them
    known_signals.py  what each signal of ours measures, and its range
    recipe_lint.py    a recipe as rows, and its rules that have no effect
    effects.py        what a change of a bound does to sources and languages
    kept_texts.py     which documents keep their text (`keep_text`)
"""
