#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""torch_model.py: an inference process, to be looked into: one head of
attention of a transformer on torch. It knows nothing of nopdb. Prints a
checksum of each step."""
import hashlib
import os
import time

import torch


def attention(step, query, key, value):
    scores = query @ key.transpose(-2, -1) / key.shape[-1] ** 0.5
    weights = torch.softmax(scores, dim=-1)
    return weights @ value


class Head(torch.nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = torch.nn.Linear(width, width)
        self.key = torch.nn.Linear(width, width)
        self.value = torch.nn.Linear(width, width)

    def weights(self, tokens):
        scores = self.query(tokens) @ self.key(tokens).transpose(-2, -1)
        return torch.softmax(scores / tokens.shape[-1] ** 0.5, dim=-1)

    def forward(self, step, tokens):
        return attention(step, self.query(tokens), self.key(tokens),
                         self.value(tokens))


def serve():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    head = Head(8).eval()
    print(os.getpid(), flush=True)
    with torch.no_grad():
        for step in range(1000000):
            tokens = torch.randn(6, 8)
            head(step, tokens)
            truth = head.weights(tokens).numpy().tobytes()
            print(step, hashlib.sha256(truth).hexdigest(), flush=True)
            time.sleep(0.05)


if __name__ == "__main__":
    serve()
