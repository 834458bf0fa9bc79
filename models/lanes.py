"""Several numbers side by side, as a processor's registers hold them: what the compiled kernels calculate with.

A loop over a few labels that is left to the compiler becomes one operation here and four there. With types of their own
four, eight or sixteen are as few operations as the processor has them for. Nothing is rounded otherwise than it would
be one number at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]  it ships none
from numba import extending, types
from numba.core import cgutils

_numba = cast("Any", extending)
_NUMBER = ir.IntType(32)
_UNALIGNED = 4


class _Lanes(types.Type):
    def __init__(self, width: int) -> None:
        super().__init__(name=f"lanes{width}")
        self.width = width


@_numba.register_model(_Lanes)
class _LanesModel(extending.models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _vector(kind.width))


def _vector(width: int, of: Any = None) -> Any:
    return ir.VectorType(of or ir.FloatType(), width)


def _address(context: Any, builder: Any, kind: Any, array: Any, place: Any, of: Any) -> Any:
    """Where `array[place]` is, as if `of` stood there."""
    held = context.make_array(kind)(context, builder, array)
    return builder.bitcast(builder.gep(held.data, [place]), of.as_pointer())


def _each(builder: Any, number: Any, width: int) -> Any:
    """`number`, `width` times."""
    nothing = ir.Constant(_vector(width), cast("Any", ir).Undefined)
    first = builder.insert_element(nothing, number, _NUMBER(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(_vector(width, _NUMBER), [0] * width))


def _zeros(width: int) -> Callable[[], Any]:
    def generate(*_: Any) -> Any:
        return ir.Constant(_vector(width), None)

    def typed(_: Any) -> Any:
        return _Lanes(width)(), generate

    return _numba.intrinsic(typed)


FOUR_ZEROS, EIGHT_ZEROS, SIXTEEN_ZEROS = (_zeros(width) for width in (4, 8, 16))


@_numba.intrinsic
def plus(_: Any, lanes: Any, factor: Any, array: Any, place: Any) -> Any:
    """`lanes`, plus `factor` times as many numbers of `array`, from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, vector = signature.return_type.width, _vector(signature.return_type.width)
        address = _address(context, builder, signature.args[2], arguments[2], arguments[3], vector)
        found = builder.load(address, align=_UNALIGNED)
        return builder.fadd(arguments[0], builder.fmul(_each(builder, arguments[1], width), found))

    return lanes(lanes, factor, array, place), generate


@_numba.intrinsic
def add_to(_: Any, array: Any, place: Any, lanes: Any) -> Any:
    """Add `lanes` to as many numbers of `array`, which are doubles, from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = _vector(signature.args[2].width, ir.DoubleType())
        address = _address(context, builder, signature.args[0], arguments[0], arguments[1], vector)
        sums = builder.fadd(builder.load(address, align=_UNALIGNED), builder.fpext(arguments[2], vector))
        builder.store(sums, address, align=_UNALIGNED)
        return context.get_dummy_value()

    return types.void(array, place, lanes), generate


@_numba.intrinsic
def descend(_: Any, array: Any, place: Any, step: Any, slopes: Any, at: Any) -> Any:
    """Take `step` times the four numbers of `slopes` from `at` on off those of `array` from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = _vector(4)
        address = _address(context, builder, signature.args[0], arguments[0], arguments[1], vector)
        slopes = _address(context, builder, signature.args[3], arguments[3], arguments[4], vector)
        change = builder.fmul(_each(builder, arguments[2], 4), builder.load(slopes, align=_UNALIGNED))
        builder.store(builder.fsub(builder.load(address, align=_UNALIGNED), change), address, align=_UNALIGNED)
        return context.get_dummy_value()

    return types.void(array, place, step, slopes, at), generate


@_numba.intrinsic
def fetch(_: Any, array: Any, place: Any) -> Any:
    """Ask for the line of the cache that holds `array[place]`, and do not wait for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8)
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), _NUMBER, _NUMBER, _NUMBER])
        prefetch = cast("Any", cgutils).get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        address = _address(context, builder, signature.args[0], arguments[0], arguments[1], byte)
        builder.call(prefetch, [address, _NUMBER(0), _NUMBER(3), _NUMBER(1)])  # to read, to keep, data
        return context.get_dummy_value()

    return types.void(array, place), generate
