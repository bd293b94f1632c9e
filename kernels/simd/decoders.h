/* The bodies of decoders_body.h by level. */
#pragma once

#include <Python.h>
#include <math.h>
#include <stdint.h>

#include "level.h"

#define GROUP 8     /* classes of a transposed output that are read together: as many streams of memory */
#define BLOCK 1024  /* anchors of it whose best scores are held at a time: 4 KB, and a page of each class */
#define FOUND 32    /* rows that are found before they are read */
#define AHEAD 32    /* anchors ahead that an objectness, one to a row, is asked for */

#define LEVEL_BODY "decoders_body.h"
#include "each_level.h"

typedef struct {
  void (*class_peaks)(const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, float *, int32_t *);
  Py_ssize_t (*next_reaching)(const float *, Py_ssize_t, Py_ssize_t, float);
  Py_ssize_t (*next_face)(const float *, const float *, Py_ssize_t, Py_ssize_t, float);
  float (*peak)(const float *, Py_ssize_t);
  void (*exponentials)(float *, Py_ssize_t);
} Decoders;

static inline Decoders decoders_for(int level) {
  Decoders bodies = {CHOOSE(level, class_peaks), CHOOSE(level, next_reaching), CHOOSE(level, next_face),
                     CHOOSE(level, peak), CHOOSE(level, exponentials)};
  return bodies;
}

/* Up to FOUND of the rows from `*from` on whose value, `step` apart, is at least `limit`; how many. Each is read by one
   value alone, so that memory is asked for rows ahead, and for all of a row that is found. */
static inline Py_ssize_t rows_reaching(const float *values, Py_ssize_t step, Py_ssize_t *from, Py_ssize_t end, float limit,
                                       Py_ssize_t *found) {
  Py_ssize_t count = 0, i = *from;
  for (; i < end && count < FOUND; i++) {
#if defined(__GNUC__)
    __builtin_prefetch(values + (i + AHEAD < end ? i + AHEAD : end - 1) * step);
#endif
    if (values[i * step] >= limit) {
      found[count++] = i;
#if defined(__GNUC__)
      for (Py_ssize_t value = 16; value < step; value += 16) __builtin_prefetch(values + i * step + value - 5);
#endif
    }
  }
  *from = i;
  return count;
}
