/* The memory of a NumPy array, for as long as the caller holds the array: one look that says yes or no.
   What is refused here is looked at again by kernels/checks.py, which finds the sentence for it. */
#pragma once

#include <Python.h>
#include <stdint.h>
#include <string.h>

#define LENT_SIDES 3

typedef struct {
  void *data;
  Py_ssize_t shape[LENT_SIDES]; /* 1 beyond the array's own sides */
  char code;                    /* of its items: f float32, e float16, i int32, B uint8 */
} Lent;

static inline int lend_code(const Py_buffer *view) {
  const char *format = view->format ? view->format : "B";
  if (format[0] == '\0' || format[1] != '\0') return 0;
  if (format[0] == 'l' && view->itemsize == 4) return 'i';
  return (format[0] == 'i' && view->itemsize != 4) ? 0 : format[0];
}

/* Whether `array` is a `type` (numpy.ndarray) with `sides` sides, C-contiguous, aligned, of one of the codes, and
   writable where that is asked for. Never leaves an exception behind. */
static inline int lend(PyObject *array, PyObject *type, const char *codes, int sides, int writable, Lent *lent) {
  Py_buffer view;
  int code, side;
  if (!PyObject_TypeCheck(array, (PyTypeObject *)type)) return 0;
  if (PyObject_GetBuffer(array, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) < 0) {
    PyErr_Clear();
    return 0;
  }
  code = lend_code(&view);
  lent->data = view.buf;
  lent->code = (char)code;
  for (side = 0; side < LENT_SIDES; side++) lent->shape[side] = side < view.ndim ? view.shape[side] : 1;
  side = code != 0 && strchr(codes, code) != NULL && view.ndim == sides && (uintptr_t)view.buf % view.itemsize == 0;
  PyBuffer_Release(&view); /* NumPy keeps the memory as long as the array is held, lent or not */
  return side;
}

typedef struct {
  float *boxes, *scores;
  int32_t *labels;
  float *landmarks; /* NULL where there is no column for them */
  Py_ssize_t held;  /* rows */
} Columns;

/* The writable columns of a kernels.Candidates, which is a tuple of them. */
static inline int lend_columns(PyObject *into, PyObject *type, PyObject *array, Columns *columns) {
  Lent boxes, scores, labels, landmarks;
  PyObject *points;
  if (!PyObject_TypeCheck(into, (PyTypeObject *)type)) return 0;
  points = PyTuple_GetItem(into, 3);
  landmarks.data = NULL;
  if (!lend(PyTuple_GetItem(into, 0), array, "f", 2, 1, &boxes) || boxes.shape[1] != 4) return 0;
  if (!lend(PyTuple_GetItem(into, 1), array, "f", 1, 1, &scores) || scores.shape[0] != boxes.shape[0]) return 0;
  if (!lend(PyTuple_GetItem(into, 2), array, "i", 1, 1, &labels) || labels.shape[0] != boxes.shape[0]) return 0;
  if (points != Py_None) {
    if (!lend(points, array, "f", 3, 1, &landmarks) || landmarks.shape[0] != boxes.shape[0]) return 0;
    if (landmarks.shape[1] != 5 || landmarks.shape[2] != 2) return 0;
  }
  columns->boxes = boxes.data;
  columns->scores = scores.data;
  columns->labels = labels.data;
  columns->landmarks = landmarks.data;
  columns->held = boxes.shape[0];
  return 1;
}
