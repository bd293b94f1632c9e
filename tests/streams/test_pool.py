import numpy as np

from streams.sources.pool import Pool

SHAPE = (12, 16, 3)


def test_memory_that_nobody_holds_is_used_again() -> None:
    pool = Pool()
    places = set()
    for _ in range(100):
        array = pool.take(SHAPE)
        places.add(array.ctypes.data)
        del array
    assert len(places) == 1
    assert pool.made == 1


def test_memory_that_somebody_holds_is_never_given_out() -> None:
    pool = Pool()
    held = [pool.take(SHAPE) for _ in range(5)]
    assert len({array.ctypes.data for array in held}) == 5
    kept = held.pop(2)
    kept[...] = 7
    held.clear()
    for _ in range(20):
        pool.take(SHAPE)[...] = 0
    assert (kept == 7).all()
    assert pool.made == 5


def test_a_view_a_memoryview_and_a_view_of_a_view_hold_the_memory_too() -> None:
    pool = Pool()
    views = [pool.take(SHAPE)[2:4, ::2], memoryview(pool.take(SHAPE)), pool.take(SHAPE)[1:].reshape(-1)[5:]]
    places = {pool.take(SHAPE).ctypes.data for _ in range(10)}
    assert len(places) == 1
    assert pool.made == 4
    del views
    assert len({id(array) for array in [pool.take(SHAPE) for _ in range(4)]}) == 4
    assert pool.made == 4


def test_beyond_its_bound_it_gives_out_memory_that_it_does_not_keep() -> None:
    pool = Pool(most=2)
    held = [pool.take(SHAPE) for _ in range(4)]
    assert len({array.ctypes.data for array in held}) == 4
    del held
    assert len([pool.take(SHAPE) for _ in range(2)]) == 2
    assert pool.made == 4


def test_another_shape_lets_the_old_memory_go() -> None:
    pool = Pool()
    first = pool.take(SHAPE)
    first[...] = 3
    other = pool.take((4, 4))
    assert other.shape == (4, 4)
    assert other.dtype == np.uint8
    assert other.flags.c_contiguous
    assert (first == 3).all()
