/* The bodies of decoders_body.h by level. */
#pragma once

#include "search.h"

#define GROUP 8     /* classes of a transposed output that are read together: as many streams of memory */
#define BLOCK 1024  /* anchors of it whose best scores are held at a time: 4 KB, and a page of each class */

#define LEVEL_BODY "decoders_body.h"
#include "each_level.h"

typedef struct {
  void (*class_peaks)(const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, float *, int32_t *);
  Py_ssize_t (*next_reaching)(const float *, Py_ssize_t, Py_ssize_t, float);
  float (*peak)(const float *, Py_ssize_t);
  Py_ssize_t (*first_with)(const float *, Py_ssize_t, float);
} Decoders;

static inline Decoders decoders_for(int level) {
  Decoders bodies = {CHOOSE(level, class_peaks), CHOOSE(level, next_reaching), CHOOSE(level, peak),
                     CHOOSE(level, first_with)};
  return bodies;
}
