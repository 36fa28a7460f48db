#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""model.py: an inference process, to be looked into: one head of attention
on numpy. It knows nothing of nopdb. Prints a checksum of each step."""
import hashlib
import os
import time

import numpy


def softmax(scores):
    exponents = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def attention(step, query, key, value):
    scores = query @ key.T / numpy.sqrt(key.shape[-1])
    weights = softmax(scores)
    return weights @ value


def checksum(weights):
    return hashlib.sha256(weights.tobytes()).hexdigest()


def serve():
    chance = numpy.random.default_rng(0)
    print(os.getpid(), flush=True)
    for step in range(1000000):
        query, key, value = chance.standard_normal((3, 6, 8))
        attention(step, query, key, value)
        truth = softmax(query @ key.T / numpy.sqrt(key.shape[-1]))
        print(step, checksum(truth), flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    serve()
