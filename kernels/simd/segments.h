/* The best class of pixels whose scores lie side by side, four pixels at a time: one lane each. */
#pragma once

#include <Python.h>
#include <math.h>
#include <stdint.h>

typedef float FourFloats __attribute__((vector_size(16)));
typedef int32_t FourInts __attribute__((vector_size(16)));

/* A score that is no number is never above the peak. */
static inline void four_best(const float *scores, Py_ssize_t classes, uint8_t *out) {
  const float *second = scores + classes, *third = second + classes, *fourth = third + classes;
  FourInts peak, found = {0, 0, 0, 0};
  FourFloats least = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
  peak = (FourInts)least;
  for (Py_ssize_t c = 0; c < classes; c++) {
    FourFloats score = {scores[c], second[c], third[c], fourth[c]};
    FourInts rose = score > (FourFloats)peak, label = {(int32_t)c, (int32_t)c, (int32_t)c, (int32_t)c};
    peak = (rose & (FourInts)score) | (~rose & peak);
    found = (rose & label) | (~rose & found);
  }
  for (int i = 0; i < 4; i++) out[i] = (uint8_t)found[i];
}

static inline uint8_t one_best(const float *scores, Py_ssize_t classes) {
  float peak = -INFINITY;
  uint8_t found = 0;
  for (Py_ssize_t c = 0; c < classes; c++) {
    if (scores[c] > peak) peak = scores[c], found = (uint8_t)c;
  }
  return found;
}

static inline void segments_argmax(const float *scores, Py_ssize_t pixels, Py_ssize_t classes, uint8_t *out) {
  Py_ssize_t i = 0;
  for (; i + 4 <= pixels; i += 4) four_best(scores + i * classes, classes, out + i);
  for (; i < pixels; i++) out[i] = one_best(scores + i * classes, classes);
}
