# SPDX-License-Identifier: MIT
"""Tensors of torch."""
import sys

import inside
from inside_arrays import check, see

NEEDS = "torch"
try:
    import torch
except ImportError:
    inside.skip(NEEDS)


def check_torch(agent):
    table = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    check(see(agent, table), type="torch.Tensor", dtype="<f4", shape=[2, 3],
          strides=[12, 4], items=[0, 1, 2, 3, 4, 5], device="cpu",
          stats={"min": 0, "max": 5, "mean": 2.5, "nan": 0})
    check(see(agent, table.T), items=[0, 3, 1, 4, 2, 5])
    check(see(agent, table[1:, 1:]), items=[4, 5], shape=[1, 2])
    check(see(agent, torch.tensor([True, False])), items=[True, False])
    check(see(agent, torch.tensor([1.5]).bfloat16()), dtype="bfloat16",
          items=[1.5])
    check(see(agent, torch.tensor(4)), shape=[], items=[4])
    check(see(agent, torch.nn.Parameter(table)), items=[0, 1, 2, 3, 4, 5])
    assert "$items" not in see(agent, torch.empty(2, device="meta"))
    assert "$items" not in see(agent, table.to_sparse())

    class Mine(torch.Tensor):
        @classmethod
        def __torch_function__(cls, *args, **kwargs):
            raise AssertionError(args)
    assert "$items" not in see(agent, table.as_subclass(Mine))
    references = sys.getrefcount(table)
    see(agent, table)
    assert sys.getrefcount(table) == references


def check_torch_forms(agent):
    """What lies elsewhere, or in another form than it is seen in: no items."""
    pair = torch.tensor([1 + 2j, 3 - 1j])
    check(see(agent, pair), items=[
        {"$type": "complex", "$repr": "(1+2j)"},
        {"$type": "complex", "$repr": "(3-1j)"}])
    for value, name in ((pair.conj(), "torch.complex64"),
                        (pair.conj().imag, "torch.float32"),
                        (torch.empty(2, device="meta"), "torch.float32"),
                        (torch.eye(2).to_sparse(), "torch.float32")):
        references = sys.getrefcount(value)
        seen = see(agent, value, arrays=1)
        check(seen, type="torch.Tensor", device=str(value.device), dtype=name,
              items=None, base64=None, stats=None,
              shape=list(value.shape))
        assert sys.getrefcount(value) == references
    check(see(agent, pair.conj().resolve_conj()), dtype="<c8", shape=[2])


if __name__ == "__main__":
    inside.main(globals())
