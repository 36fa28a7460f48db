# SPDX-License-Identifier: MIT
"""A validator for the part of JSON Schema (2020-12) that proto/schema.json
uses. Debian's takes a property named "$id" for the keyword, and is slow; a
keyword that is not known here is an error, so nothing is skipped in silence.
"""
import re

TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int)
    and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float))
    and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
SILENT = {"description", "$comment", "title", "contentEncoding", "then"}


class Invalid(Exception):
    """path: the keys that lead to what is wrong, innermost last."""

    def __init__(self, message):
        super().__init__(message)
        self.path = []


def same(one, other):
    """Equal as JSON: true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


class Schema:
    def __init__(self, root, name):
        self.defs = root["$defs"]
        self.top = {"$ref": "#/$defs/" + name}

    def check(self, value):
        """Raises Invalid."""
        self.apply(self.top, value)

    def is_valid(self, value):
        return self.holds(self.top, value)

    def holds(self, schema, value):
        try:
            self.apply(schema, value)
        except Invalid:
            return False
        return True

    def apply(self, schema, value):
        if schema is True:
            return
        if schema is False:
            raise Invalid("nothing is allowed here")
        for keyword, wanted in schema.items():
            if keyword in SILENT:
                continue
            name = "on_" + keyword.replace("$", "")
            getattr(self, name)(wanted, value, schema)

    def inner(self, schema, key, value):
        try:
            self.apply(schema, value)
        except Invalid as error:
            error.path.insert(0, key)
            raise

    # ---- any type
    def on_ref(self, wanted, value, schema):
        self.apply(self.defs[wanted[len("#/$defs/"):]], value)

    def on_type(self, wanted, value, schema):
        names = [wanted] if isinstance(wanted, str) else wanted
        if not any(TYPES[name](value) for name in names):
            raise Invalid("is not of type %s" % wanted)

    def on_const(self, wanted, value, schema):
        if not same(wanted, value):
            raise Invalid("is not %r" % wanted)

    def on_enum(self, wanted, value, schema):
        if not any(same(item, value) for item in wanted):
            raise Invalid("is none of %r" % wanted)

    def on_anyOf(self, wanted, value, schema):
        reasons = []
        for option in wanted:
            try:
                self.apply(option, value)
                return
            except Invalid as error:
                reasons.append("%s at %s" % (error, error.path))
        raise Invalid("fits none: " + "; ".join(reasons))

    def on_oneOf(self, wanted, value, schema):
        count = sum(self.holds(option, value) for option in wanted)
        if count != 1:
            raise Invalid("fits %d of %d" % (count, len(wanted)))

    def on_allOf(self, wanted, value, schema):
        for part in wanted:
            self.apply(part, value)

    def on_not(self, wanted, value, schema):
        if self.holds(wanted, value):
            raise Invalid("fits what is excluded: %r" % wanted)

    def on_if(self, wanted, value, schema):
        if self.holds(wanted, value):
            self.apply(schema["then"], value)

    # ---- numbers and strings
    def on_minimum(self, wanted, value, schema):
        if TYPES["number"](value) and value < wanted:
            raise Invalid("is less than %r" % wanted)

    def on_maximum(self, wanted, value, schema):
        if TYPES["number"](value) and value > wanted:
            raise Invalid("is more than %r" % wanted)

    def on_minLength(self, wanted, value, schema):
        if isinstance(value, str) and len(value) < wanted:
            raise Invalid("is shorter than %d" % wanted)

    def on_maxLength(self, wanted, value, schema):
        if isinstance(value, str) and len(value) > wanted:
            raise Invalid("is longer than %d" % wanted)

    def on_pattern(self, wanted, value, schema):
        if isinstance(value, str) and not re.search(wanted, value):
            raise Invalid("does not match %s" % wanted)

    # ---- arrays
    def on_prefixItems(self, wanted, value, schema):
        if isinstance(value, list):
            for index, (part, item) in enumerate(zip(wanted, value)):
                self.inner(part, index, item)

    def on_items(self, wanted, value, schema):
        if isinstance(value, list):
            first = len(schema.get("prefixItems", ()))
            for index, item in enumerate(value[first:], first):
                self.inner(wanted, index, item)

    def on_minItems(self, wanted, value, schema):
        if isinstance(value, list) and len(value) < wanted:
            raise Invalid("has less than %d items" % wanted)

    def on_maxItems(self, wanted, value, schema):
        if isinstance(value, list) and len(value) > wanted:
            raise Invalid("has more than %d items" % wanted)

    # ---- objects
    def on_required(self, wanted, value, schema):
        missing = set(wanted) - set(value) if isinstance(value, dict) else ()
        if missing:
            raise Invalid("lacks %s" % sorted(missing))

    def on_properties(self, wanted, value, schema):
        if isinstance(value, dict):
            for name, part in wanted.items():
                if name in value:
                    self.inner(part, name, value[name])

    def on_patternProperties(self, wanted, value, schema):
        if isinstance(value, dict):
            for pattern, part in wanted.items():
                for name in value:
                    if re.search(pattern, name):
                        self.inner(part, name, value[name])

    def on_additionalProperties(self, wanted, value, schema):
        if not isinstance(value, dict):
            return
        known = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        for name, item in value.items():
            if name not in known and not any(
                    re.search(pattern, name) for pattern in patterns):
                self.inner(wanted, name, item)

    def on_propertyNames(self, wanted, value, schema):
        if isinstance(value, dict):
            for name in value:
                self.inner(wanted, name, name)

    def on_maxProperties(self, wanted, value, schema):
        if isinstance(value, dict) and len(value) > wanted:
            raise Invalid("has more than %d members" % wanted)

    def on_dependentRequired(self, wanted, value, schema):
        if isinstance(value, dict):
            for name, others in wanted.items():
                if name in value:
                    self.on_required(others, value, schema)
