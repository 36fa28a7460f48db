# SPDX-License-Identifier: MIT
# The second half of the agent's Python part: what conditions and actions of
# breakpoints are compiled with. Checked when a probe is set; made into
# functions when a code object is first hit.


def located(error, text):
    """What is wrong with a text, and at which column of it."""
    if not isinstance(error, SyntaxError):
        return "%s: %s" % (error, text)
    line = ", line %d" % error.lineno if (error.lineno or 1) > 1 else ""
    return "%s%s, column %d: %s" % (
        error.msg, line, error.offset or len(text) + 1, (error.text or text).strip())


def variable_names(code):
    """The names that a code object and what is nested in it may look up."""
    names = set(code.co_names) | set(code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            names |= variable_names(constant)
    return {name for name in names if name.isidentifier()}


def expression_names(text):
    code = compile(text.strip(), "<nopdb>", "eval", 0, True)
    return tuple(sorted(variable_names(code)))


def compile_expression(text):
    """The names in an expression, or what is wrong with it."""
    try:
        return expression_names(text)
    except Exception as error:
        return located(error, text.strip())


def compile_code(text):
    """Statements as a code object, or what is wrong with them."""
    try:
        return compile(text, "<nopdb>", "exec", 0, True)
    except Exception as error:
        return located(error, text)


def compile_pattern(text):
    """A regular expression, or what is wrong with it."""
    import re
    try:
        return re.compile(text)
    except Exception as error:
        return "no regular expression: %s: %s" % (error, text)


def compile_function(text, names, space):
    """An expression as a function of those of its names that are bound."""
    code = compile("lambda %s: (\n%s\n)" % (", ".join(names), text),
                   "<nopdb>", "eval", 0, True)
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            return type(compile_function)(constant, space)


def evaluate(text, space, local):
    """The value of an expression where variables are in a mapping."""
    names = [name for name in expression_names(text) if name in local]
    return compile_function(text, names, space)(
        *[local[name] for name in names])


def split_field(field):
    """(expression, conversion, format) of a field of a log; None: it is not
    whole yet. A colon or an exclamation mark may be part of the expression,
    so the longest that compiles is taken."""
    ends = [(len(field), "", "")]
    for at, mark in enumerate(field):
        if mark == "!" and field[at + 1:at + 2] in ("r", "s", "a") and (
                field[at + 2:at + 3] in ("", ":")):
            ends.append((at, field[at + 1], field[at + 3:]))
        elif mark == ":":
            ends.append((at, "", field[at + 1:]))
    for end, conversion, form in ends:
        if not isinstance(compile_expression(field[:end]), str):
            return field[:end], conversion, form
    return None


def plain_name(text):
    """What a value goes by when its expression is a name, an attribute or a
    key of something: the last of them; else "". As value_expression_name()."""
    text = text.strip()
    depth = part = opened = 0
    for at, mark in enumerate(text):
        if mark in "([":
            opened = opened if depth else at
            depth += 1
        elif mark in ")]":
            depth -= 1
        elif mark == "." and not depth:
            part = at + 1
        elif not depth and not mark.isalnum() and mark != "_":
            return ""
    if text[part:].isidentifier():
        return text[part:]
    key = text[opened + 1:-1].strip()
    if depth or not opened or not text.endswith("]") or len(key) < 3 or (
            key[0] != key[-1] or key[0] not in "'\""):
        return ""
    return key[1:-1]


def compile_log(template):
    """A log as (parts, expression): a part is text, or the conversion, format
    and plain name of one of the expression's values. Or what is wrong."""
    parts, fields, at = [], [], 0
    while at < len(template):
        if template[at] not in "{}" or template[at:at + 2] in ("{{", "}}"):
            parts.append(template[at])
            at += 1 + (template[at] in "{}")
            continue
        ends = [end for end, mark in enumerate(template)
                if end > at + 1 and mark == "}"]
        split = None
        for end in ends if template[at] == "{" else ():
            split = split_field(template[at + 1:end])
            if split:
                break
        if not split:
            return "no {expression}, column %d: %s" % (at + 1, template)
        parts.append(split[1:] + (plain_name(split[0]),))
        fields.append("(\n%s\n)," % split[0])
        at = end + 1
    return tuple(parts), "(%s)" % "".join(fields)


def hide_parts(parts, hidden):
    """The parts of a log, with a flag in place of each name: is what it stands
    for withheld? hidden: the flags, of all parts."""
    return tuple([part if isinstance(part, str) else part[:2] + (flag,)
                  for part, flag in zip(parts, hidden)])


def log_text(parts, values):
    """The text of a log."""
    text, values = [], iter(values)
    for part in parts:
        if isinstance(part, str):
            text.append(part)
            continue
        value = next(values)
        if part[2] and value is not None and value is not True and (
                value is not False):
            text.append("<redacted: name>")
            continue
        if part[0]:
            value = {"r": repr, "s": str, "a": ascii}[part[0]](value)
        text.append(format(value, part[1]))
    return "".join(text)


def check_callback(text):
    """None, or what is wrong with MODULE:FUNCTION."""
    module, colon, path = text.partition(":")
    for part in module.split(".") + path.split("."):
        if not part.isidentifier():
            return "not MODULE:FUNCTION: " + text
    return None


def call_back(text, frame):
    """Calls a function of a module that the program has imported."""
    import sys
    module, _, path = text.partition(":")
    if module not in sys.modules:
        raise LookupError("the program has not imported " + module)
    function = sys.modules[module]
    for name in path.split("."):
        function = getattr(function, name)
    return function(frame)


def stand_in(code, space, variables, line):
    """What is shown of a frame that CPython has made no object of yet."""
    import sys
    return type(sys.implementation)(
        f_code=code, f_globals=space, f_locals=variables, f_lineno=line,
        f_builtins=space.get("__builtins__"), f_back=sys._getframe(1))


def let_arrive():
    """An asynchronous exception is raised at a jump back."""
    for _ in range(100):
        pass


def new_set():
    return set()


def handler_codes():
    """The code of each handler of a signal that is a function of Python."""
    import _signal
    method = type(located.__get__(0))
    for number in range(1, 65):
        handler = _signal.getsignal(number)
        while type(handler).__name__ == "partial":
            handler = handler.func
        if type(handler) is method:
            handler = handler.__func__
        elif type(handler) is not type(located):
            handler = getattr(type(handler), "__call__", None)
        yield getattr(handler, "__code__", None)


def is_of_handler(kind, traceback):
    """Did a handler raise it, that Python called between two instructions, or
    in repr()? That of SIGINT has no frame, unless the program has set another."""
    codes = []
    while traceback:
        codes.append(traceback.tb_frame.f_code)
        traceback = traceback.tb_next
    if kind is KeyboardInterrupt and not (
            codes and kind.__name__ in codes[-1].co_names):
        return True
    if not codes or (len(codes) == 1 and codes[0].co_filename == "<nopdb>"):
        return False
    return not set(codes).isdisjoint(handler_codes())


def refuse_stack():
    raise RecursionError("this thread has too little stack left to compile it")


def first_time(seen, key):
    """Was this key not there before? Of 10,000 on, none counts as new."""
    if key in seen or len(seen) >= 10000:
        return False
    seen.add(key)
    return True


debugger = {}


def debug_load(source):
    """Runs the debugger's module in a dict of its own, once. What is wrong
    with that, or None."""
    if debugger:
        return None
    space = {"__name__": __name__, "__builtins__": __builtins__}
    try:
        exec(compile(source, "<nopdb>", "exec", 0, True), space)
    except BaseException as error:
        return "pdb does not run in this process: %s: %s" % (
            type(error).__name__, error)
    debugger.update(space)
    return None


def debug(name, arguments):
    """Calls a function of the debugger."""
    return debugger[name](*arguments)
