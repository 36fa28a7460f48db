# SPDX-License-Identifier: MIT
"""Small programs of the kinds that pyperformance has, of our own: numbers in
floats, objects that call each other, a search that goes back, generators,
text, pickles, a template. Each takes some tenths of a second. 3.7-3.15."""
import pickle
import random
import re
import string

NAMES = ("bodies", "queens", "messages", "sieve", "pickles", "template")


def bodies():
    """Five masses that pull at each other."""
    mass = [[0.1 * n, 0.3 * n, -0.2 * n, 0.01 * n, 0.02, -0.03 * n, 1.0 + n]
            for n in range(5)]
    for _ in range(2500):
        for at, one in enumerate(mass):
            for other in mass[at + 1:]:
                x, y, z = (one[i] - other[i] for i in range(3))
                pull = 0.001 / ((x * x + y * y + z * z + 0.01) ** 1.5)
                for body, sign in ((one, -other[6]), (other, one[6])):
                    body[3] += x * sign * pull
                    body[4] += y * sign * pull
                    body[5] += z * sign * pull
        for body in mass:
            for i in range(3):
                body[i] += 0.001 * body[i + 3]
    return sum(map(sum, mass))


def place(row, size, columns, up, down):
    if row == size:
        return 1
    return sum(place(row + 1, size, columns | {c}, up | {row + c},
                     down | {row - c})
               for c in range(size) if c not in columns and
               row + c not in up and row - c not in down)


def queens():
    return sum(place(0, 8, frozenset(), frozenset(), frozenset())
               for _ in range(30))


class Actor:
    """Hands messages on."""

    def __init__(self, number):
        self.number, self.inbox, self.seen = number, [], 0

    def receive(self, message):
        self.inbox.append(message)

    def act(self, others):
        self.seen += len(self.inbox)
        for value in self.inbox:
            if value:
                others[(self.number * 7 + value) % len(others)].receive(
                    value - 1)
        self.inbox = []


def messages():
    actors = [Actor(number) for number in range(50)]
    for actor in actors:
        actor.receive(1000)
    for _ in range(1100):
        for actor in actors:
            actor.act(actors)
    return sum(actor.seen for actor in actors)


def numbers(limit):
    found = {}
    for number in range(2, limit):
        prime = found.pop(number, None)
        if prime is None:
            found[number * number] = number
            yield number
        else:
            following = number + prime
            while following in found:
                following += prime
            found[following] = prime


def sieve():
    return sum(numbers(220000))


def pickles():
    dice = random.Random(7)
    rows = [{"id": n, "tags": [str(dice.random()) for _ in range(5)],
             "pair": (n, None)} for n in range(400)]
    total = 0
    for _ in range(120):
        total += len(pickle.loads(pickle.dumps(rows, 2)))
    return total


ROW = string.Template("<tr class=$kind><td>$name</td><td>$count</td></tr>")


def template():
    total = 0
    for turn in range(40):
        page = "".join(ROW.substitute(kind=n % 3, name="row %d" % n,
                                      count=n * turn) for n in range(600))
        total += len(re.findall(r"<td>(\d+)</td>", page))
    return total
