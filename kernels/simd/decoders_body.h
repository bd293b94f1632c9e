/* What decoders do to every anchor; included by decoders.h for each level. */

#include "lanes.h"
#include "search_body.h"

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
