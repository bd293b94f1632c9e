/* The bodies of cells_body.h by level. */
#pragma once

#include "search.h"

#define LEVEL_BODY "cells_body.h"
#include "each_level.h"

typedef struct {
  float (*peak)(const float *, Py_ssize_t);
  Py_ssize_t (*first_with)(const float *, Py_ssize_t, float);
  Py_ssize_t (*cells_reaching)(const float *, Py_ssize_t, Py_ssize_t *, Py_ssize_t, float, const float *, Py_ssize_t,
                               Py_ssize_t *);
  Py_ssize_t (*next_face)(const float *, const float *, Py_ssize_t, Py_ssize_t, float);
  void (*expectations)(const float *, Py_ssize_t, float *);
} Cells;

static inline Cells cells_for(int level) {
  Cells bodies = {CHOOSE(level, peak), CHOOSE(level, first_with), CHOOSE(level, cells_reaching),
                  CHOOSE(level, next_face), CHOOSE(level, expectations)};
  return bodies;
}
