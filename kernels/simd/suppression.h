/* Greedy non-maximum suppression. Boxes are ordered by score, then gathered class by class into columns, so that one
   box that stays is compared with many later ones at once: that comparison alone has a body for each level. */
#pragma once

#include <Python.h>
#include <stdint.h>
#include <stdlib.h>

#include "level.h"
#include "ranking.h"

#define SPARE 16 /* items behind a column that a vector may touch, and then leaves as they are */

typedef struct {
  float *x1, *y1, *x2, *y2, *area; /* class by class, within a class by descending score */
  int32_t *gone;                   /* -1 where a box before suppresses it, else 0 */
} Crowd;

#define LEVEL_BODY "suppression_body.h"
#include "each_level.h"

typedef void (*ThinOut)(const Crowd *, Py_ssize_t, Py_ssize_t, float, Py_ssize_t);

static inline ThinOut thin_out_for(int level) { return CHOOSE(level, thin_out); }

static inline float crowd_side(float low, float high) {
  float length = high - low;
  return length < 0 ? 0 : length;
}

static inline void crowd_add(const Crowd *crowd, Py_ssize_t place, const float *box) {
  crowd->x1[place] = box[0];
  crowd->y1[place] = box[1];
  crowd->x2[place] = box[2];
  crowd->y2[place] = box[3];
  crowd->area[place] = crowd_side(box[0], box[2]) * crowd_side(box[1], box[3]);
}

static inline Crowd crowd_in(float *memory, Py_ssize_t count) {
  Py_ssize_t column = count + SPARE;
  Crowd crowd = {memory, memory + column, memory + 2 * column, memory + 3 * column, memory + 4 * column,
                 (int32_t *)(memory + 5 * column)};
  memset(crowd.gone, 0, column * sizeof(int32_t));
  return crowd;
}

/* Thin out every class of boxes that `classes` lists class by class, each item's place being one in `order`. */
static inline void crowd_thin_out(const Crowd *crowd, const uint64_t *classes, Py_ssize_t count, float iou,
                                  Py_ssize_t limit, ThinOut thin_out) {
  Py_ssize_t first = 0;
  while (first < count) {
    Py_ssize_t end = first + 1;
    while (end < count && classes[end] >> 32 == classes[first] >> 32) end++;
    if (end > first + 1) thin_out(crowd, first, end, iou, limit);
    first = end;
  }
}

/* Write the indices that stay into `keep`, at most `limit` >= 1 of `count` >= 1; how many, or -1 without memory. */
static inline Py_ssize_t suppression(const float *boxes, const float *scores, const int32_t *labels, Py_ssize_t count,
                                     float iou, int by_class, Py_ssize_t limit, int32_t *keep, ThinOut thin_out) {
  uint64_t *items = malloc((4 * sizeof(uint64_t) + 6 * sizeof(float)) * count + 6 * SPARE * sizeof(float));
  uint64_t *order, *classes;
  Py_ssize_t found = 0, i;
  if (items == NULL) return -1;
  for (i = 0; i < count; i++) items[i] = rank_of_score(scores[i], i);
  order = rank(items, items + count, count);
  classes = items + 2 * count;
  for (i = 0; i < count; i++) classes[i] = rank_of_label(by_class ? labels[(uint32_t)order[i]] : 0, i);
  classes = rank(classes, items + 3 * count, count);
  Crowd crowd = crowd_in((float *)(items + 4 * count), count);
  for (i = 0; i < count; i++) crowd_add(&crowd, i, boxes + 4 * (size_t)(uint32_t)order[(uint32_t)classes[i]]);
  crowd_thin_out(&crowd, classes, count, iou, limit, thin_out);
  for (i = 0; i < count; i++) { /* the scores in the upper halves have served */
    uint64_t *item = order + (uint32_t)classes[i];
    *item = (uint64_t)(crowd.gone[i] != 0) << 32 | (uint32_t)*item;
  }
  for (i = 0; i < count && found < limit; i++) {
    if (order[i] >> 32 == 0) keep[found++] = (int32_t)order[i];
  }
  free(items);
  return found;
}
