/* Looking for the few among many scores: what the rooms of decoders share beside simd/search_body.h. */
#pragma once

#include <Python.h>
#include <math.h>
#include <stdint.h>

#include "level.h"

#define FOUND 32  /* rows that are found before they are read */
#define AHEAD 32  /* rows ahead that a value, one to a row, is asked for */
#define LINE 64   /* bytes of memory that come together */

#if defined(__GNUC__)
#define ASK(pointer) __builtin_prefetch(pointer)
#else
#define ASK(pointer) (void)(pointer)
#endif

/* Ask for memory that is about to be read. */
static inline void ask(const float *values, Py_ssize_t count) {
  for (Py_ssize_t at = 0; at < count; at += LINE / (Py_ssize_t)sizeof(float)) ASK(values + at);
  ASK(values + count - 1);
}

/* Up to FOUND of the rows from `*from` on whose number `column` is at least `limit`; how many. A row has `step` numbers,
   of which this one alone is read, so that memory is asked for rows ahead, and for all of a row that is found. */
static inline Py_ssize_t rows_reaching(const float *rows, Py_ssize_t step, Py_ssize_t column, Py_ssize_t *from,
                                       Py_ssize_t end, float limit, Py_ssize_t *found) {
  Py_ssize_t count = 0, i = *from;
  const float *values = rows + column;
  for (; i < end && count < FOUND; i++) {
    if (i + 4 + AHEAD <= end) { /* four with one branch, which nearly always go by */
      const float *four = values + i * step, *ahead = four + AHEAD * step;
      ASK(ahead), ASK(ahead + step), ASK(ahead + 2 * step), ASK(ahead + 3 * step);
      if (!((four[0] >= limit) | (four[step] >= limit) | (four[2 * step] >= limit) | (four[3 * step] >= limit))) {
        i += 3;
        continue;
      }
    }
    if (values[i * step] >= limit) {
      found[count++] = i;
      ask(rows + i * step, step);
    }
  }
  *from = i;
  return count;
}
