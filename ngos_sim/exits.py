"""How the command line ends: whatever happens is one line on stderr and an exit status, never a traceback.

0 done, 1 an expectation failed, 2 bad input, 3 numerical trouble or a lost worker, 130 Ctrl-C; 128 + n by signal n:
141 where nobody reads what is printed, 143 for SIGTERM, 129 for a closed terminal.
"""

import contextlib
import functools
import os
import signal
import sys
import warnings

from typer.exceptions import TyperException

from ngos_sim.errors import EngineUnavailable, NonFiniteError, WorkerLost

_NAME = "ngos-sim"
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def status_of(command):
    """Run a command and return its exit status.

    command : function () -> int or None
    """
    _open_what_is_closed()
    with _signals_that_exit(), warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)  # said, and no error even where PYTHONWARNINGS makes it one
        warnings.showwarning = lambda message, *_: say(message)
        try:
            status = _status(command)
            sys.stdout.flush()
            return status
        except KeyboardInterrupt:
            return 128 + signal.SIGINT
        except BrokenPipeError:
            _discard(sys.stdout)
            return 128 + signal.SIGPIPE
        except OSError as error:  # a full disk under stdout
            _discard(sys.stdout)
            return _fail(2, error.strerror)


def say(message):
    """Print a message to stderr as one line."""
    try:
        print(f"{_NAME}: {' '.join(str(message).split())}", file=sys.stderr)
    except OSError:  # nobody reads it
        _discard(sys.stderr)


def says_when_stopped(words):
    """Decorate a command: on a terminal, where Ctrl-C is shown as ^C, it says in these words that it ended there."""

    def decorate(command):
        @functools.wraps(command)
        def stoppable(*arguments, **named):
            try:
                return command(*arguments, **named)
            except KeyboardInterrupt:
                if sys.stderr.isatty():
                    print(file=sys.stderr)  # behind the ^C
                    say(words)
                raise

        return stoppable

    return decorate


@contextlib.contextmanager
def _signals_that_exit():
    """Let signals that end a process raise SystemExit meanwhile, so that what is open is closed."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    mine = [number for number, handler in before.items() if handler is signal.SIG_DFL]  # nohup's stays ignored
    for number in mine:
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def _status(command):
    try:
        return command() or 0
    except BrokenPipeError:
        raise
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # Typer's answer to it
            raise error.__context__ from None
        raise
    except (NonFiniteError, WorkerLost) as error:
        return _fail(3, error)
    except MemoryError:
        return _fail(3, "out of memory")
    except OSError as error:
        return _fail(2, f"{error.filename}: {error.strerror}" if error.filename else error.strerror or error)
    except (ValueError, TypeError, EngineUnavailable) as error:
        return _fail(2, error)
    except TyperException as error:  # a wrong option, a missing argument
        return _fail(2, _usage(error))


def _usage(error):
    """Return what Typer says of the arguments, with what it leaves out: the value of an option, and what there is."""
    said = error.format_message().rstrip(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    if invalid := getattr(error.__cause__, "errors", None):  # Pydantic's ValidationError
        given = repr(invalid()[0]["input"])
        return said if given in said else f"{said}, got {given}"
    if context is not None and said.startswith("No such command"):
        return f"{said}; allowed: {', '.join(context.command.list_commands(context))}"
    if context is not None and said.startswith("No such option"):
        options = [option for each in context.command.get_params(context) for option in each.opts if option[0] == "-"]
        return f"{said.partition(' (Possible')[0]}; allowed: {', '.join(options)}"
    return said


def _fail(status, error):
    say(error)
    return status


def _open_what_is_closed():
    """Put /dev/null where stdin, stdout or stderr is closed: the next file opened would take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def _discard(stream):
    """Let what is still to be written to a stream go nowhere, so that the interpreter's own flush says nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
