"""A node's loop -> machine code behind one C signature.

    void kernel(state*, float** inputs, float** outputs, int64 start, int64 stop)

numba compiles a class's `process` once, on first use, and keeps it on disk; a plan calls it by its address. So no graph
ever compiles, and a user's own kernel is equal to ours. The rest of this module is what kernels may call.
"""

import hashlib
import importlib
import inspect
import logging
import platform
import re
import sys
from collections import namedtuple
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, njit, types  # pyright: ignore[reportPrivateImportUsage]
from numba.core import cgutils
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher
from numba.core.event import Listener, register
from numba.extending import intrinsic

from . import __version__
from .kernel_cache import KernelCache
from .kernel_errors import explained
from .node import Node, Signals

# numba looks for a BLAS when it starts, only to choose how np.convolve is compiled. The import of scipy.linalg that
# this takes would be a quarter of our start: say that there is none. np.dot and others find it later all the same.
if "scipy.linalg.cython_blas" not in sys.modules:
    sys.modules["scipy.linalg.cython_blas"] = None  # type: ignore[assignment]
    importlib.import_module("numba.np.arraymath")
    del sys.modules["scipy.linalg.cython_blas"]

logging.getLogger("numba").setLevel(logging.WARNING)  # its debug log would drown a program's own

BUFFERS = types.CPointer(types.CPointer(types.float32))
# NaN and infinity keep their meaning: line_out's guard needs them. Sums keep their order: a loop that runs on vector
# units or not, as buffers happen to lie, must give the same bits, and a filter would only be slower.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract", "arcp", "nsz"}}

# Only machine code calls a kernel's body; what Python would need to call it is a tenth of the compiler's work. The body
# becomes a part of its wrapper: to hand it its arrays would take as long as a short node does.
BODY: dict[str, Any] = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}

# Any number of inputs, as a kernel sees a Signals slot: addresses of whole frames, and the piece that is asked for.
Many = namedtuple("Many", "addresses start size")


# --- What kernels may call --------------------------------------------------------------------------------------------


def _at(kind: Any, doc: str) -> Callable:
    """An intrinsic: (address, count) -> the array there. As a helper it would be compiled for each literal count."""
    array = types.Array(kind, 1, "C")

    @intrinsic
    def at(context, address, count):
        def codegen(context, builder, signature, args):
            view = context.make_array(array)(context, builder)
            data = builder.inttoptr(args[0], view.data.type)
            itemsize = context.get_constant(types.intp, kind.bitwidth // 8)
            layout = {"shape": [args[1]], "strides": [itemsize], "itemsize": itemsize}
            context.populate_array(view, data=data, meminfo=None, **layout)
            return view._getvalue()

        return array(types.int64, types.int64), codegen

    at.__doc__ = doc
    return at


words_at = _at(types.int64, "The int64 array at an address.")
shorts_at = _at(types.int16, "The int16 array at an address.")
floats_at = _at(types.float32, "The float32 array at an address.")
doubles_at = _at(types.float64, "The float64 array at an address.")


@njit(**OPTIONS)
def nth(many, k):
    """The k-th signal of a Signals slot."""
    return floats_at(many.addresses[k] + 4 * many.start, many.size)


@intrinsic
def fence(context):
    """All that was written before it is seen before all that is written after it, by every thread and process."""

    def codegen(context, builder, signature, args):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), codegen


@njit(**OPTIONS)
def event(at, value=0):
    """An event word: something happened at sample `at` of this piece; value is a whole number of up to 46 bits."""
    return (value << 16) | (at + 1)


HUGE = np.float32(1e6)  # a sample beyond this, infinite or not a number is a fault and not sound


@njit(**OPTIONS)
def sound(x):
    """A sample that may be remembered: 0 for one that is not finite, or far beyond full scale."""
    return x if abs(x) < HUGE else np.float32(0)


@njit(**OPTIONS)
def limited(x, low, high):
    """x within low..high as float64; what is not a number is `low`."""
    y = np.float64(x) if x > low else np.float64(low)
    return y if y < high else np.float64(high)


@njit(**OPTIONS)
def shuffled(random):
    """The next value of a node's word of noise (u8, never 0): xorshift64 of Marsaglia, 2003."""
    random ^= random >> np.uint64(12)
    random ^= random << np.uint64(25)
    random ^= random >> np.uint64(27)
    return random


@njit(**OPTIONS)
def bipolar(random):
    """A shuffled word as an even float32 from -1 to 1: the upper bits of its multiple (xorshift64* of Vigna, 2016)."""
    top = np.int64((random * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(40))
    return np.float32(top) * np.float32(2.0**-23) - np.float32(1)


S1, S3, S5, S7, S9 = (np.float32(c) for c in (6.283185307, -41.34170072, 81.60354098, -76.59931749, 39.85647238))
QUARTER, HALF = np.float32(0.25), np.float32(0.5)


@njit(**OPTIONS)
def sin_turns(turns):
    """sin(2 pi turns) in float32, without a branch, so that a loop of it vectorises; the error is below -130 dB.

    The wave is folded onto its first quarter; an odd polynomial of degree 9 with least maximum error does the rest.
    """
    x = turns - np.floor(turns) - HALF
    q = QUARTER - abs(abs(x) - QUARTER)
    s = q * q
    y = ((((S9 * s + S7) * s + S5) * s + S3) * s + S1) * q
    return y if x < 0 else -y


T1, T3, T5, T7, T9, T11, T13 = (
    np.float32(c)
    for c in (4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05, 5.12229709037114e-08,
              -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16)
)  # fmt: skip
U0, U2, U4, U6 = (
    np.float32(c) for c in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)
TANH_LIMIT = np.float32(7.90531110763549805)  # beyond it tanh is 1 in float32


@njit(**OPTIONS)
def tanh(x):
    """tanh(x) in float32 without a branch, so that a loop of it vectorises; a quotient of polynomials, off by 1e-6."""
    y = x if x > -TANH_LIMIT else -TANH_LIMIT
    y = y if y < TANH_LIMIT else TANH_LIMIT
    s = y * y
    p = ((((((T13 * s + T11) * s + T9) * s + T7) * s + T5) * s + T3) * s + T1) * y
    return p / (((U6 * s + U4) * s + U2) * s + U0)


@intrinsic
def _float_of(context, bits):
    """The float32 with these bits, an int32."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


E0, E1, E2, E3, E4, E5, E6 = (
    np.float32(c)
    for c in (1.0, 0.693147180, 0.240226507, 0.0555041087, 0.00961812911, 0.00133335581, 0.000154035304)
)  # fmt: skip


@njit(**OPTIONS)
def exp2(x):
    """2 ** x in float32 without a branch, off by 1e-6 of it; x is held within -126..126. Not a number is 2 ** -126."""
    y = x if x > np.float32(-126) else np.float32(-126)
    y = y if y < np.float32(126) else np.float32(126)
    whole = np.floor(y + HALF)
    f = y - whole
    power = _float_of(np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)))
    return power * ((((((E6 * f + E5) * f + E4) * f + E3) * f + E2) * f + E1) * f + E0)


def _denormals(read: bool) -> Callable:
    """An intrinsic: read or write the processor's word that says what becomes of numbers too small to be normal."""
    x86, arm = platform.machine() in ("x86_64", "AMD64"), platform.machine() in ("aarch64", "arm64")

    def codegen(context, builder, signature, args):
        i32, i64 = ir.IntType(32), ir.IntType(64)
        if x86:
            place = cgutils.alloca_once(builder, i32)
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
            name = "llvm.x86.sse.stmxcsr" if read else "llvm.x86.sse.ldmxcsr"
            if not read:
                builder.store(builder.trunc(args[0], i32), place)
            pointer = builder.bitcast(place, ir.IntType(8).as_pointer())
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [pointer])
            return builder.zext(builder.load(place), i64) if read else context.get_dummy_value()
        if arm:
            kind = ir.FunctionType(i64, []) if read else ir.FunctionType(ir.VoidType(), [i64])
            name = "llvm.aarch64.get.fpcr" if read else "llvm.aarch64.set.fpcr"
            done = builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [] if read else [args[0]])
            return done if read else context.get_dummy_value()
        return ir.Constant(i64, 0) if read else context.get_dummy_value()

    @intrinsic
    def word(context):
        return types.int64(), codegen

    @intrinsic
    def set_word(context, value):
        return types.void(types.int64), codegen

    return word if read else set_word


float_mode, set_float_mode = _denormals(True), _denormals(False)
# Numbers near zero that the processor computes slowly, the tail of an echo say, are zero while kernels run.
FLUSH = (1 << 15 | 1 << 6) if platform.machine() in ("x86_64", "AMD64") else 1 << 24


# --- The compiler -----------------------------------------------------------------------------------------------------


@intrinsic
def call_kernel(context, address, state, inputs, outputs, start, stop):
    """Call the machine code at an address that is only known at run time."""
    i64 = types.int64

    def codegen(context, builder, signature, args):
        pointer, integer = ir.IntType(8).as_pointer(), ir.IntType(64)
        code = ir.FunctionType(ir.VoidType(), [pointer] * 3 + [integer] * 2).as_pointer()
        pointers = [builder.inttoptr(a, pointer) for a in args[1:4]]
        builder.call(builder.inttoptr(args[0], code), pointers + list(args[4:]))
        return context.get_dummy_value()

    return types.void(i64, i64, i64, i64, i64, i64), codegen


def _blocks_of(first: int, count: int) -> Callable:
    """An intrinsic: (float**, start, stop) -> a tuple of `count` arrays [start:stop]: a loop sees plain arrays."""
    array = types.Array(types.float32, 1, "C")

    @intrinsic
    def blocks(context, pointers, start, stop):
        result = types.UniTuple(array, count)

        def codegen(context, builder, signature, args):
            pointers, start, stop = args
            size, itemsize = builder.sub(stop, start), context.get_constant(types.intp, 4)
            arrays = []
            for i in range(first, first + count):
                view = context.make_array(array)(context, builder)
                data = builder.gep(builder.load(cgutils.gep(builder, pointers, i)), [start])
                layout = {"shape": [size], "strides": [itemsize], "itemsize": itemsize}
                context.populate_array(view, data=data, meminfo=None, **layout)
                arrays.append(view._getvalue())
            return context.make_tuple(builder, result, arrays)

        return result(BUFFERS, types.int64, types.int64), codegen

    return blocks


@intrinsic
def _pointer_word(context, pointers, i):
    """The i-th pointer of a table as a number."""

    def codegen(context, builder, signature, args):
        return builder.ptrtoint(builder.load(builder.gep(args[0], [args[1]])), ir.IntType(64))

    return types.int64(BUFFERS, types.int64), codegen


@njit(**OPTIONS)
def _many(pointers, i, start, stop):
    """A Signals slot: the table holds the address of [count, address, address ...]."""
    table = _pointer_word(pointers, i)
    return Many(words_at(table + 8, words_at(table, 1)[0]), start, stop - start)


@intrinsic
def _word_of(context, state):
    """A state's address as a number."""

    def codegen(context, builder, signature, args):
        return builder.ptrtoint(args[0], ir.IntType(64))

    return types.int64(state), codegen


@intrinsic
def _record_of(context, state):
    """The record that a state's address points to."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(state.dtype))

    return state.dtype(state), codegen


@njit(**OPTIONS)
def _hold(address, count):
    """Before a piece: mark event words of earlier pieces by their sign."""
    words = words_at(address, count)
    for k in range(count):
        words[k] = -words[k]


@njit(**OPTIONS)
def _stamp(address, count, start):
    """After a piece: new event words count from the frame's first sample, earlier ones get their sign back."""
    words = words_at(address, count)
    for k in range(count):
        words[k] = words[k] + start if words[k] > 0 else -words[k]


def _stamp_of_this_module() -> str:
    """A hash of it, source or bytecode: its wrappers and intrinsics are a part of all machine code."""
    try:
        data = __loader__.get_data(__file__)  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]
    except (AttributeError, OSError):  # it comes from elsewhere than a file
        data = __version__.encode()
    return hashlib.sha256(data).hexdigest()


STAMP = f"{_stamp_of_this_module()}{sorted(BODY)}{sorted(BODY['fastmath'])}"


def native(signature: str, at_once: bool = True) -> Callable:
    """Decorates what the audio thread runs beside kernels: machine code without the GIL, kept on the disk.

    at_once: compile it when it is defined; else when Python calls it first.
    """

    def compile(function: Callable) -> Any:
        code: Any = njit(nogil=True, **OPTIONS)(function)
        code._cache = KernelCache(f"{function.__module__}.{function.__name__}", STAMP + _sources(function, set()))
        if at_once:
            code.compile(signature)
            code.disable_compile()
        return code

    return compile


def _sources(function: Callable, seen: set[Any]) -> str:
    """The text of a function and of all that numba freezes into its code: helpers, global and enclosing values."""
    if function in seen:
        return ""
    seen.add(function)
    code = function.__code__
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    text = f"{_code_text(code)}{_frozen(defaults)}"
    closure = inspect.getclosurevars(function)
    values = {**closure.globals, **closure.nonlocals}
    for name, module in list(values.items()):
        if inspect.ismodule(module):
            values |= {f"{name}.{part}": vars(module)[part] for part in code.co_names if part in vars(module)}
    for name, value in sorted(values.items()):
        if inspect.ismodule(value):  # numpy has parts that are there once somebody has imported them
            continue
        plain = value.py_func if isinstance(value, Dispatcher) else value
        text += _sources(plain, seen) if inspect.isfunction(plain) else f"{name}={_frozen(plain)}"
    return text


def _code_text(code: CodeType) -> str:
    """All of a function's code but its place in a file, for there may be no file."""
    names = code.co_names, code.co_varnames, code.co_freevars
    return f"{code.co_code.hex()}{names}{[_frozen(one) for one in code.co_consts]}"


def _frozen(value: Any) -> str:
    """A global, enclosing or literal value as numba freezes it; nothing for what cannot change, an intrinsic say."""
    if isinstance(value, CodeType):
        return _code_text(value)
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_frozen, value))})"
    if isinstance(value, frozenset):  # in another order in each process
        return f"{sorted(map(_frozen, value))}"
    return repr(value) if isinstance(value, (bool, int, float, complex, str, bytes, np.generic)) else ""


class _Teller(Listener):
    """Tells, once a process, that we compile: that takes seconds, and a silent wait looks like a fault."""

    told = False
    kernels: set[Callable] = set()

    def on_start(self, event: Any) -> None:
        function = event.data["dispatcher"].py_func
        ours = function in self.kernels or (function.__module__ or "").startswith(f"{__package__}.")
        if ours and not self.told:
            self.told = True
            text = "graphvoip: compiling sound kernels that are new to this machine, each once; a few seconds"
            print(text, file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        pass


register("numba:compile", _Teller())


@native("void()")
def barrier():
    """For Python: all that it has stored is seen, by the audio thread too, before what it stores next."""
    fence()


class kernel:
    """Decorates a node's `process`: a plain function over arrays, compiled on first use."""

    def __init__(self, function: Callable):
        self.function = function
        _Teller.kernels.add(function)
        self.compiled: dict[type[Node], Any] = {}

    def check(self, cls: type[Node]) -> None:
        """The parameters are (state,) inputs, outputs; a class with other ones is refused when it is made."""
        has = list(inspect.signature(self.function).parameters)
        wants = [*cls.slots.inputs, *cls.slots.outputs]
        if has not in (wants, ["state", *wants]):
            raise TypeError(f"{cls.__name__}.process takes ({', '.join(has)}), its slots are ({', '.join(wants)})")

    def compile(self, cls: type[Node]) -> int:
        """The address of the machine code for this class."""
        if cls not in self.compiled:
            wrapper, signature = self._wrap(cls)
            slots = [(name, type(slot).__name__) for name, slot in (cls.slots.inputs | cls.slots.outputs).items()]
            text = f"{STAMP}{_sources(self.function, set())}{cls.dtype}{slots}{len(cls.slots.events)}"
            # numba makes the code's name of it, and no two in a process may have the same.
            name = f"{cls.__module__}.{cls.__qualname__}"
            wrapper.__qualname__ = f"{re.sub(r'[^A-Za-z0-9]+', '_', name)}_{hashlib.sha256(text.encode()).hexdigest()}"
            code: Any = CFunc(wrapper, signature, locals={}, options=OPTIONS)
            code._cache = KernelCache(name, text)
            with explained(cls, self.function):
                code.compile()
            self.compiled[cls] = code
        return self.compiled[cls].address

    def _wrap(self, cls: type[Node]) -> tuple[Callable, Any]:
        body = njit(**BODY)(self.function)
        many = bool(cls.slots.inputs) and isinstance(list(cls.slots.inputs.values())[-1], Signals)
        plain, events = len(cls.slots.inputs) - many, len(cls.slots.events)
        inputs_of, outputs_of = _blocks_of(0, plain), _blocks_of(0, len(cls.slots.outputs))
        stateful = "state" in inspect.signature(self.function).parameters
        record = from_dtype(cls.dtype)

        # numba prunes the branches whose condition is a constant of the enclosing function.
        def wrapper(state, inputs, outputs, start, stop):
            if events:
                _hold(_word_of(state), np.int64(events))
            if stateful and many:
                body(
                    _record_of(state),
                    *inputs_of(inputs, start, stop),
                    _many(inputs, plain, start, stop),
                    *outputs_of(outputs, start, stop),
                )
            elif stateful:
                body(_record_of(state), *inputs_of(inputs, start, stop), *outputs_of(outputs, start, stop))
            elif many:
                body(
                    *inputs_of(inputs, start, stop),
                    _many(inputs, plain, start, stop),
                    *outputs_of(outputs, start, stop),
                )
            else:
                body(*inputs_of(inputs, start, stop), *outputs_of(outputs, start, stop))
            if events:
                _stamp(_word_of(state), np.int64(events), start)

        return wrapper, ((types.CPointer(record), BUFFERS, BUFFERS, types.int64, types.int64), types.void)
