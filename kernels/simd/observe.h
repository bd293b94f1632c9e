/* What a racer's policy is shown: the walk over rows, and the bodies of observe_body.h by level. A source row goes into
   a ring of rows of the observation's width, four bytes a pixel, out of which every row of the observation is summed. */
#pragma once

#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "level.h"

#define LEVEL_BODY "observe_body.h"
#include "each_level.h"

typedef struct {
  int at_once; /* source rows that quarter_across takes; 0 where it has no body */
  void (*quarter_across)(const uint8_t *const *, uint8_t *const *, Py_ssize_t);
  Py_ssize_t (*quarter_down)(const uint8_t *const *, uint8_t *, Py_ssize_t);
  void (*down)(const uint8_t *const *, const int32_t *, Py_ssize_t, uint8_t *, int32_t *, Py_ssize_t);
  void (*luma)(const uint32_t *, uint8_t *, Py_ssize_t);
  void (*pillow_luma)(const uint32_t *, uint8_t *, Py_ssize_t);
} Observer;

static inline Observer observer_for(int level) {
  Observer bodies = {level >= 4 ? 4 : level == 3 ? 2 : level == 2 ? 1 : 0,
                     CHOOSE(level, quarter_across),
                     CHOOSE(level, quarter_down),
                     CHOOSE(level, down),
                     CHOOSE(level, luma),
                     CHOOSE(level, pillow_luma)};
  return bodies;
}

typedef struct { /* one side of the observation: which source pixels each of its pixels is made of */
  const int32_t *first, *count, *weights;
  Py_ssize_t length, taps, source;
} Side;

typedef struct {
  const uint8_t *pixels;
  Side rows, columns;
  uint8_t *ring; /* `room` rows of 4 * columns.length bytes */
  Py_ssize_t room, done;
  const uint8_t **taps; /* rows.taps of them */
  uint8_t *row;
  int32_t *sums;
  uint8_t *gray;
} View;

static inline uint8_t *view_row(const View *view, Py_ssize_t y) {
  return view->ring + y % view->room * 4 * view->columns.length;
}

static inline void view_pixel(const Side *side, const uint8_t *row, Py_ssize_t x, uint8_t *out) {
  const int32_t *weights = side->weights + x * side->taps;
  int32_t sums[3] = {1 << 21, 1 << 21, 1 << 21};
  row += 3 * side->first[x];
  for (int32_t tap = 0; tap < side->count[x]; tap++, row += 3) {
    for (int channel = 0; channel < 3; channel++) sums[channel] += row[channel] * weights[tap];
  }
  for (int channel = 0; channel < 3; channel++) out[4 * x + channel] = (uint8_t)(sums[channel] >> 22);
  out[4 * x + 3] = 0;
}

static inline void view_pixels(const View *view, Py_ssize_t y, Py_ssize_t first, Py_ssize_t end) {
  const uint8_t *row = view->pixels + y * 3 * view->columns.source;
  for (Py_ssize_t x = first; x < end; x++) view_pixel(&view->columns, row, x, view_row(view, y));
}

/* Source rows into the ring, up to row `end` at least; at a quarter as many at once as a vector takes. */
static inline void view_across(View *view, Py_ssize_t end, const Observer *bodies) {
  const Side *columns = &view->columns;
  Py_ssize_t fours = columns->source == 4 * columns->length && bodies->at_once ? (columns->length - 2) / 4 : 0;
  while (view->done < end) {
    Py_ssize_t y = view->done, some = fours > 0 ? bodies->at_once : 1;
    if (fours > 0) {
      const uint8_t *rows[4];
      uint8_t *out[4];
      if (some > view->rows.source - y) some = view->rows.source - y;
      for (int i = 0; i < 4; i++) {
        Py_ssize_t row = i < some ? y + i : y + some - 1;
        rows[i] = view->pixels + row * 3 * columns->source;
        out[i] = view_row(view, row);
      }
      bodies->quarter_across(rows, out, fours);
    }
    for (; view->done < y + some; view->done++) {
      if (fours > 0) view_pixels(view, view->done, 0, 1);
      view_pixels(view, view->done, fours > 0 ? 1 + 4 * fours : 0, columns->length);
    }
  }
}

/* Row y of the observation, in colour. */
static inline void view_down(View *view, Py_ssize_t y, const Observer *bodies) {
  const Side *rows = &view->rows;
  Py_ssize_t first = rows->first[y], count = rows->count[y], bytes = 4 * view->columns.length, done = 0;
  view_across(view, first + count, bodies);
  for (Py_ssize_t tap = 0; tap < count; tap++) view->taps[tap] = view_row(view, first + tap);
  if (rows->source == 4 * rows->length && count == 8 && bodies->at_once) {
    done = bodies->quarter_down(view->taps, view->row, bytes);
    for (Py_ssize_t tap = 0; tap < count; tap++) view->taps[tap] += done;
  }
  if (done < bytes) bodies->down(view->taps, rows->weights + y * rows->taps, count, view->row + done, view->sums, bytes - done);
}

/* ---- the car's own way: the mean, or a blend, of two by two pixels */

static inline uint8_t stock_gray(int32_t blue, int32_t green, int32_t red) {
  return (uint8_t)((blue * 1868 + green * 9617 + red * 4899 + (1 << 13)) >> 14);
}

static inline void stock_row(const View *view, Py_ssize_t y, Py_ssize_t first, uint8_t *gray) {
  const Side *rows = &view->rows, *columns = &view->columns;
  const uint8_t *upper = view->pixels + rows->first[y] * 3 * columns->source;
  const uint8_t *lower = rows->count[y] > 1 ? upper + 3 * columns->source : upper;
  const int32_t down = rows->count[y] > 1 ? rows->weights[y * rows->taps + 1] >> 11 : 0;
  for (Py_ssize_t x = first; x < columns->length; x++) {
    Py_ssize_t left = 3 * columns->first[x], right = columns->count[x] > 1 ? left + 3 : left;
    int32_t across = columns->count[x] > 1 ? columns->weights[x * columns->taps + 1] >> 11 : 0, level[3];
    for (int channel = 0; channel < 3; channel++) {
      int32_t top = upper[left + channel] * (2048 - across) + upper[right + channel] * across;
      int32_t bottom = lower[left + channel] * (2048 - across) + lower[right + channel] * across;
      level[channel] = (top * (2048 - down) + bottom * down + (1 << 21)) >> 22;
    }
    gray[x] = stock_gray(level[0], level[1], level[2]);
  }
}

/* At a quarter every pixel is the mean of the four in the middle of its sixteen. Pixels 0..4n - 1 of one row. */
static inline Py_ssize_t stock_quarter_row(const uint8_t *upper, const uint8_t *lower, uint8_t *gray, Py_ssize_t length) {
  Py_ssize_t x = 0;
#if LEVEL_HIGHEST == 4
  const __m128i order = _mm_setr_epi8(0, 3, 8, 11, 1, 4, 9, 12, 2, 5, 10, 13, -1, -1, -1, -1);
  const __m128i ones = _mm_set1_epi8(1), two = _mm_set1_epi16(2), half = _mm_set1_epi32(1 << 13);
  const __m128i weights = _mm_setr_epi16(1868, 9617, 4899, 0, 1868, 9617, 4899, 0);
  for (; x + 4 <= length; x += 4) {
    __m128i sums[4];
    for (int i = 0; i < 4; i++) {
      __m128i top = _mm_loadl_epi64((const __m128i *)(upper + 12 * (x + i) + 3));
      __m128i bottom = _mm_loadl_epi64((const __m128i *)(lower + 12 * (x + i) + 3));
      sums[i] = _mm_maddubs_epi16(_mm_shuffle_epi8(_mm_unpacklo_epi64(top, bottom), order), ones);
    }
    __m128i a = _mm_srli_epi16(_mm_add_epi16(_mm_hadd_epi16(sums[0], sums[1]), two), 2);
    __m128i b = _mm_srli_epi16(_mm_add_epi16(_mm_hadd_epi16(sums[2], sums[3]), two), 2);
    __m128i grays = _mm_hadd_epi32(_mm_madd_epi16(a, weights), _mm_madd_epi16(b, weights));
    grays = _mm_srli_epi32(_mm_add_epi32(grays, half), 14);
    grays = _mm_packus_epi16(_mm_packs_epi32(grays, grays), grays);
    int32_t four = _mm_cvtsi128_si32(grays);
    memcpy(gray + x, &four, 4);
  }
#else
  (void)upper, (void)lower, (void)gray, (void)length;
#endif
  return x;
}

static inline void stock_view_row(const View *view, Py_ssize_t y, uint8_t *gray) {
  Py_ssize_t done = 0, pitch = 3 * view->columns.source;
  if (view->columns.source == 4 * view->columns.length && view->rows.source == 4 * view->rows.length) {
    const uint8_t *upper = view->pixels + (4 * y + 1) * pitch;
    done = stock_quarter_row(upper, upper + pitch, gray, view->columns.length);
  }
  stock_row(view, y, done, gray);
}

typedef enum { STOCK, LUMA, PILLOW_LUMA } Way;

/* Row y of the observation, in gray. */
static inline void view_gray(View *view, Py_ssize_t y, Way way, const Observer *bodies) {
  if (way == STOCK) {
    stock_view_row(view, y, view->gray);
    return;
  }
  view_down(view, y, bodies);
  (way == LUMA ? bodies->luma : bodies->pillow_luma)((const uint32_t *)view->row, view->gray, view->columns.length);
}

static inline void view_write(const View *view, void *out, int floats, Py_ssize_t at, Py_ssize_t step) {
  if (step == 1 && !floats) {
    memcpy((uint8_t *)out + at, view->gray, view->columns.length);
    return;
  }
  for (Py_ssize_t x = 0; x < view->columns.length; x++) {
    if (floats) {
      ((float *)out)[at + x * step] = view->gray[x];
    } else {
      ((uint8_t *)out)[at + x * step] = view->gray[x];
    }
  }
}

static inline size_t view_memory(const View *view) {
  Py_ssize_t width = view->columns.length;
  return view->rows.taps * sizeof(uint8_t *) + 4 * width * sizeof(int32_t) + (view->room + 1) * 4 * width + width;
}

/* One picture's gray pixels to out[at + y * row + x * step]; memory: view_memory(view) bytes */
static inline void view_observe(View *view, Way way, void *out, int floats, Py_ssize_t at, Py_ssize_t row,
                                Py_ssize_t step, void *memory, const Observer *bodies) {
  Py_ssize_t width = view->columns.length;
  view->taps = memory;
  view->sums = (int32_t *)(view->taps + view->rows.taps);
  view->row = (uint8_t *)(view->sums + 4 * width);
  view->ring = view->row + 4 * width;
  view->gray = view->ring + view->room * 4 * width;
  view->done = 0;
  for (Py_ssize_t y = 0; y < view->rows.length; y++) {
    view_gray(view, y, way, bodies);
    view_write(view, out, floats, at + y * row, step);
  }
}
