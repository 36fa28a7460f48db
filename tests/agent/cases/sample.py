# SPDX-License-Identifier: MIT
"""Code to be found: every way in which a module holds a function."""
import functools


def plain(x):
    return x


def outer(x):
    def inner(y):
        def innermost():
            return x + y
        return innermost()
    return inner(1)


def lambdas():
    return lambda x: x


double = lambda x: x * 2  # noqa: E731


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


def bare(function):
    def hidden(*args):
        return function(*args)
    return hidden


@logged
def decorated(x):
    return x


@bare
def closed_over(x):
    return x


@functools.lru_cache(maxsize=None)
def cached(x):
    return x


def _partial(x, y):
    return x + y


partial = functools.partial(_partial, 1)
del _partial


class Lazy:
    """A descriptor that keeps its function in its own dict."""

    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner):
        return self.function(instance)


class Meta(type):
    def __getattribute__(cls, name):
        raise AssertionError("code of the program was run: " + name)


class Guarded(metaclass=Meta):
    def method(self):
        return 1


class Outer:
    def method(self, x):
        return x

    @classmethod
    def made(cls, x):
        return x

    @staticmethod
    def static(x):
        return x

    @property
    def value(self):
        return 1

    @value.setter
    def value(self, value):
        pass

    @logged
    def wrapped(self, x):
        return x

    class Inner:
        def method(self, x):
            return x


bound = Outer().method


def generator(n):
    for i in range(n):
        yield i


def factory():
    class Local:
        def method(self, x):
            return x
    return Local
