#!/usr/bin/env bash
# torch.compile drops the gradient of a custom autograd function whose result was added to in place.
#
# Expected: `total += x` inside the forward of a torch.autograd.Function, on a tensor that the forward made itself and
#   returns, changes no gradient: backward gets the gradient of `total`, whatever built its value. Compiled and eager
#   gradients are equal.
# Happens: under torch 2.11.0 the compiled function returns the right loss and a gradient of exactly zero, without a
#   warning; backend="eager" suffices, so it is Dynamo's tracing and no generated code. `total = total + x` is right.
#   torch 2.13.0 gives the right gradient for both.
# Matters: losses that sum over blocks of logits in a forward of their own (chunked cross-entropy) are written so. A
#   run then trains nothing, its loss is flat, and every step looks healthy: check for a gradient norm of exactly zero.
# Versions: torch 2.11.0 (wrong), 2.13.0 (right); CPU; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/probe.py" <<'PYTHON'
import torch


class InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        total = torch.zeros(())
        for part in x.split(2):
            total += part.square().sum()
        ctx.save_for_backward(x)
        return total

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


class NotInPlace(InPlace):
    @staticmethod
    def forward(ctx, x):
        total = torch.zeros(())
        for part in x.split(2):
            total = total + part.square().sum()
        ctx.save_for_backward(x)
        return total


def norm(function, compiled):
    run = lambda x: function.apply(x) * 1.0  # noqa: E731
    if compiled:
        torch._dynamo.reset()
        run = torch.compile(run, backend="eager")
    x = torch.arange(1.0, 5.0, requires_grad=True)
    loss = run(x)
    (gradient,) = torch.autograd.grad(loss, x, allow_unused=True, materialize_grads=True)
    return f"{loss.item():g}:{gradient.norm().item():.4f}"


print(torch.__version__.partition("+")[0], *(norm(f, c) for f in (InPlace, NotInPlace) for c in (False, True)))
PYTHON
for version in 2.11.0 2.13.0; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet "torch==$version" numpy 2>/dev/null
  "$folder/$version/bin/python" "$folder/probe.py"
  rm -rf "${folder:?}/$version"
done | tee "$folder/seen"
echo "(loss:gradient norm of in place eager, in place compiled, not in place eager, not in place compiled)"
diff "$folder/seen" - <<'EXPECTED'
2.11.0 30:10.9545 30:0.0000 30:10.9545 30:10.9545
2.13.0 30:10.9545 30:10.9545 30:10.9545 30:10.9545
EXPECTED
