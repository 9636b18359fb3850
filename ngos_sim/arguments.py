"""Words for arguments that are not what is needed: keywords that are unknown, and values of another kind."""

import functools
import inspect
import reprlib
from dataclasses import is_dataclass


def known_keywords(**hints):
    """Decorate a factory or a dataclass so that an unknown keyword is a TypeError of one line.

    hints : what to say of a keyword that someone might well try; of any other the allowed ones are named
    """

    def decorate(made):
        call = made.__init__ if inspect.isclass(made) else made
        allowed = list(inspect.signature(made).parameters)

        @functools.wraps(call)
        def checked(*args, **given):
            for name, value in given.items():
                if name not in allowed:
                    hint = hints.get(name) or f"allowed: {', '.join(allowed)}"
                    raise TypeError(f"{made.__name__}: {name}={described(value)} is unknown; {hint}")
            return call(*args, **given)

        if not inspect.isclass(made):
            return checked
        made.__init__ = checked
        return made

    return decorate


def described(value):
    """Return a value as a message shows it: short, and without an address in memory."""
    if is_dataclass(value) and not inspect.isclass(value):
        return f"{type(value).__name__} {value.name!r}" if hasattr(value, "name") else type(value).__name__
    return getattr(value, "__name__", None) or reprlib.repr(value)


def not_a(name, value, kind, made_by):
    """Return the TypeError for an argument that is not of a kind: what it is, and what makes one.

    Examples
    --------
    >>> not_a("optimizer", "rmsprop", "an optimizer", "ns.rmsprop(sigma0=.., eps0=.., c2=..)")
    TypeError("optimizer='rmsprop' is not an optimizer; ns.rmsprop(sigma0=.., eps0=.., c2=..) makes one")
    """
    text = f"{name}={described(value)} is not {kind}"
    if inspect.isclass(value) or (inspect.isfunction(value) and value.__name__ != "<lambda>"):
        what = "class" if inspect.isclass(value) else "function"
        empty = not any(each.default is each.empty for each in inspect.signature(value).parameters.values())
        return TypeError(f"{text} but a {what}: call it, {value.__name__}({'' if empty else '..'})")
    return TypeError(f"{text}; {made_by} makes one")
