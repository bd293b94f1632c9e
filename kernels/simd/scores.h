/* The bodies of scores_body.h by level. */
#pragma once

#include <Python.h>
#include <math.h>
#include <stdint.h>

#include "level.h"

#define TILE 16 /* rows and columns of a tile: the peaks of its columns are found without looking across lanes */

#define LEVEL_BODY "scores_body.h"
#include "each_level.h"

typedef struct {
  void (*column_peaks)(const float *, Py_ssize_t, float *);
  double (*exponentials)(const float *, Py_ssize_t, float);
} Scores;

static inline Scores scores_for(int level) {
  Scores bodies = {CHOOSE(level, column_peaks), CHOOSE(level, exponentials)};
  return bodies;
}
