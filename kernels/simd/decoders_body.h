/* What decoders do to every anchor; included by decoders.h for each level. */

#include "lanes.h"

/* Raise `highest` of two vectors of anchors by `rows` <= GROUP classes, and note the group where it rose. */
static inline void NAMED(raise_peaks)(const float *scores, Py_ssize_t step, Py_ssize_t rows, int32_t group,
                                      float *highest, int32_t *groups, Py_ssize_t vectors) {
  for (Py_ssize_t vector = 0; vector < vectors; vector++) {
    vf before = LOAD(highest + vector * LANES), peak = before;
    for (Py_ssize_t row = 0; row < rows; row++) {
      peak = NAMED(higher)(LOAD(scores + row * step + vector * LANES), peak);
    }
    vi rose = peak > before, *noted = (vi *)(groups + vector * LANES);
    *(vf *)(highest + vector * LANES) = peak;
    *noted = (rose & group) | (~rose & *noted);
  }
}

/* The best score of `count` neighbouring anchors, whose classes lie `step` apart, and the first of the groups of GROUP
   classes that has it. Whole rows of memory are read one after the other, GROUP at a time. */
static void NAMED(class_peaks)(const float *scores, Py_ssize_t step, Py_ssize_t count, Py_ssize_t classes,
                               float *highest, int32_t *groups) {
  Py_ssize_t whole = count - count % LANES;
  for (Py_ssize_t i = 0; i < count; i++) highest[i] = -INFINITY, groups[i] = 0;
  for (Py_ssize_t first = 0; first < classes; first += GROUP) {
    const float *rows = scores + first * step;
    if (classes - first >= GROUP) {
      NAMED(raise_peaks)(rows, step, GROUP, (int32_t)first, highest, groups, whole / LANES);
    } else {
      NAMED(raise_peaks)(rows, step, classes - first, (int32_t)first, highest, groups, whole / LANES);
    }
  }
  for (Py_ssize_t i = whole; i < count; i++) {
    for (Py_ssize_t c = 0; c < classes; c++) {
      if (scores[c * step + i] > highest[i]) highest[i] = scores[c * step + i], groups[i] = (int32_t)(c - c % GROUP);
    }
  }
}

/* The next of values i..end - 1 that is at least `limit`; `end` where none is. */
static Py_ssize_t NAMED(next_reaching)(const float *values, Py_ssize_t i, Py_ssize_t end, float limit) {
  for (; i + 4 * LANES <= end; i += 4 * LANES) {
    vi reach = (LOAD(values + i) >= limit) | (LOAD(values + i + LANES) >= limit);
    vi more = (LOAD(values + i + 2 * LANES) >= limit) | (LOAD(values + i + 3 * LANES) >= limit);
    if (NAMED(bits)(reach | more)) break;
  }
  for (; i + LANES <= end; i += LANES) {
    unsigned reach = NAMED(bits)(LOAD(values + i) >= limit);
    if (reach) return i + __builtin_ctz(reach);
  }
  for (; i < end; i++) {
    if (values[i] >= limit) return i;
  }
  return end;
}

/* The highest of some scores; minus infinity where all are NaN. */
static float NAMED(peak)(const float *scores, Py_ssize_t count) {
  float highest = -INFINITY;
  Py_ssize_t i = 0;
  if (count >= LANES) {
    vf peak = ALL(-INFINITY);
    for (; i + LANES <= count; i += LANES) peak = NAMED(higher)(LOAD(scores + i), peak);
    for (int lane = 0; lane < LANES; lane++) highest = peak[lane] > highest ? peak[lane] : highest;
  }
  for (; i < count; i++) highest = scores[i] > highest ? scores[i] : highest;
  return highest;
}

/* cls * obj, each cut to 0..1; a NaN stays. */
static inline vf NAMED(product)(vf cls, vf obj) {
  const vf zero = ALL(0.0f), one = ALL(1.0f);
  return NAMED(lower)(one, NAMED(higher)(zero, cls)) * NAMED(lower)(one, NAMED(higher)(zero, obj));
}

/* The next of faces i..end - 1 whose sqrt(cls * obj) may be `limit`, by its square with room for rounding. */
static Py_ssize_t NAMED(next_face)(const float *cls, const float *obj, Py_ssize_t i, Py_ssize_t end, float limit) {
  const float square = limit > 0 ? limit * limit * 0.9999f : 0.0f;
  for (; i + LANES <= end; i += LANES) {
    unsigned reach = NAMED(bits)(NAMED(product)(LOAD(cls + i), LOAD(obj + i)) >= square);
    if (reach) return i + __builtin_ctz(reach);
  }
  return i;
}

/* exp of `count` numbers up to 0, in place; `values` has room for a vector more. */
static void NAMED(exponentials)(float *values, Py_ssize_t count) {
  for (Py_ssize_t i = 0; i < count; i += LANES) *(vf *)(values + i) = NAMED(exponential)(LOAD(values + i));
}
