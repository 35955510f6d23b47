#!/usr/bin/env bash
# A byte-level BPE trained with tokenizers has no tokens for bytes that its training text lacks, and drops them silently.
#
# Expected: a byte-level tokenizer has the 256 bytes and can write any text: that is what it is for. What is encoded and
#   decoded is what it was.
# Happens: `BpeTrainer` takes into the vocabulary the characters that it sees, unless it is given
#   `initial_alphabet=ByteLevel.alphabet()`. A tokenizer trained on English encodes `中文` as nothing at all: no error,
#   no unknown token, and an accent or a digit is missing in the middle of a word. `ByteLevelBPETokenizer`, which wraps
#   both, gives the alphabet.
# Matters: tokenizers for corpora in several languages, code, or anything rarer than the sample that they were trained on:
#   text is lost from shards, and the loss per byte looks better for it.
# Versions: tokenizers 0.23.3; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tokenizers==0.23.3" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from tokenizers import ByteLevelBPETokenizer, Tokenizer, decoders, models, pre_tokenizers, trainers

LINES = ["the quick brown fox jumps over the lazy dog"] * 20
TEXTS = ("the dog", "naïve: 5 €", "中文")


def train(**options):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=400, show_progress=False, **options))
    return tokenizer


wrapped = ByteLevelBPETokenizer()
wrapped.train_from_iterator(LINES, vocab_size=400, show_progress=False)
for name, tokenizer in (
    ("BpeTrainer()", train()),
    ("BpeTrainer(initial_alphabet=...)", train(initial_alphabet=pre_tokenizers.ByteLevel.alphabet())),
    ("ByteLevelBPETokenizer", wrapped),
):
    print(name, [tokenizer.decode(tokenizer.encode(text).ids) for text in TEXTS])
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "BpeTrainer() ['the dog', 'nave  ', '']
BpeTrainer(initial_alphabet=...) ['the dog', 'naïve: 5 €', '中文']
ByteLevelBPETokenizer ['the dog', 'naïve: 5 €', '中文']" ]
