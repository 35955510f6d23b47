"""Generate text from a run: sampling with a cache of keys and values.

Only the run's folder is needed: it holds configuration, tokenizer and the last checkpoint. Only tokens that keep the
text valid UTF-8 are drawn, so a character is never broken, and output can be shown while it is generated.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from corpus.errors import UserError
from corpus.inference.run import TrainedModel
from corpus.inference.utf8 import REJECT_STATE, START_STATE, build_transitions, decode_stream, token_bytes
from corpus.trainer.model import Cache


class Writer:
    """Generate text with a trained model."""

    def __init__(self, trained: TrainedModel) -> None:
        self.trained = trained
        self.config, self.model, self.device = trained.config, trained.model, trained.device
        self.tokenizer = trained.tokenizer
        special = {
            number for number, token in self.tokenizer.get_added_tokens_decoder().items() if token.special
        }
        self.bytes = token_bytes(self.tokenizer.get_vocab(), special, self.config.model.vocabulary)
        self.transitions = build_transitions(self.bytes)

    def write(
        self,
        prompt: str,
        *,
        tokens: int,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        no_repeat: int = 0,
        seed: int = 0,
    ) -> Iterator[str]:
        """Yield pieces of text that follow `prompt`, up to `tokens` tokens or the end of the document.

        `temperature` 0 takes the most likely token each time; `top_k` above 0 draws from that many tokens, `top_p`
        below 1 from the most likely ones that reach this probability. `no_repeat` above 0: no sequence of this many
        tokens occurs twice, so small models do not loop. The same arguments give the same text.
        """
        _check_options(tokens, temperature, top_k, top_p, no_repeat)
        ids = [self.config.end_of_text, *self.trained.encode(prompt)]
        drawn = self._tokens(
            ids, tokens, temperature, top_k, top_p, no_repeat, torch.Generator().manual_seed(seed)
        )
        return decode_stream(self.bytes[token] for token in drawn)

    @torch.inference_mode()
    def _tokens(
        self,
        ids: list[int],
        count: int,
        temperature: float,
        top_k: int,
        top_p: float,
        no_repeat: int,
        generator: torch.Generator,
    ) -> Iterator[int]:
        context = self.config.model.context
        cache = Cache(self.config.model, 1, self.device)
        fresh = ids[-context:]
        state = START_STATE
        followed: dict[tuple[int, ...], list[int]] = {}
        for at in range(len(ids) - no_repeat + 1 if no_repeat else 0):
            followed.setdefault(tuple(ids[at : at + no_repeat - 1]), []).append(ids[at + no_repeat - 1])
        for _ in range(count):
            if cache.length + len(fresh) > context:
                # The context is full: go on from its second half. Positions start again at 0.
                cache.length = 0
                fresh = ids[-max(1, context // 2) :]
            logits = self.model.last_logits(torch.tensor([fresh], device=self.device), cache)[0].cpu()
            allowed = torch.from_numpy(self.transitions[state] != REJECT_STATE)
            allowed[self.config.end_of_text] = state == START_STATE
            before = tuple(ids[len(ids) - no_repeat + 1 :]) if no_repeat else ()
            allowed[followed.get(before, [])] = False
            token = draw_token(logits.masked_fill(~allowed, -torch.inf), temperature, top_k, top_p, generator)
            if token == self.config.end_of_text:
                return
            ids.append(token)
            if no_repeat:
                followed.setdefault(before, []).append(token)
            fresh = [token]
            state = int(self.transitions[state, token])
            yield token


def draw_token(
    logits: Tensor, temperature: float, top_k: int, top_p: float, generator: torch.Generator
) -> int:
    """Draw one token from logits (vocabulary,), on the CPU."""
    if temperature == 0:
        return int(logits.argmax())
    ordered, tokens = torch.sort(logits / temperature, descending=True, stable=True)
    if top_k:
        ordered, tokens = ordered[:top_k], tokens[:top_k]
    probabilities = ordered.softmax(dim=0)
    if top_p < 1:
        inside = probabilities.cumsum(dim=0) - probabilities < top_p
        probabilities, tokens = probabilities[inside], tokens[inside]
    return int(tokens[torch.multinomial(probabilities, 1, generator=generator)])


def _check_options(tokens: int, temperature: float, top_k: int, top_p: float, no_repeat: int) -> None:
    if tokens < 0:
        raise UserError(f"--tokens {tokens}: must be 0 or more")
    if not 0 <= temperature < float("inf"):
        raise UserError(f"--temperature {temperature}: must be 0 (the most likely token) or more")
    if top_k < 0:
        raise UserError(f"--top-k {top_k}: must be 0 (all tokens) or more")
    if no_repeat < 0 or no_repeat == 1:
        raise UserError(f"--no-repeat {no_repeat}: must be 0 (allow repetition) or at least 2 tokens")
    if not 0 < top_p <= 1:
        raise UserError(f"--top-p {top_p}: must be above 0 and at most 1 (all tokens)")
