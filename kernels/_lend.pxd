"""simd/lend.h as Cython sees it: the memory of arrays, for the modules that look at their arguments in C."""

from libc.stdint cimport int32_t

cdef extern from "lend.h":
    ctypedef struct Lent:
        void* data
        Py_ssize_t* shape
        char code

    ctypedef struct Columns:
        float* boxes
        float* scores
        int32_t* labels
        float* landmarks
        Py_ssize_t held

    bint lend(object array, object type, const char* codes, int sides, bint writable, Lent* lent) noexcept
    bint lend_columns(object into, object type, object array, Columns* columns) noexcept
