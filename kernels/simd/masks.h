/* Masks over pictures and zones of them: the walks over rows, and the bodies of masks_body.h by level. */
#pragma once

#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "level.h"

#define GROUP 7    /* classes that are read together: as many streams of memory; 21 are three times as many */
#define LINE 64    /* bytes of memory that come together */
#define BLOCK 2048 /* pixels whose best scores are held at a time: 16 KB with their labels */

#define LEVEL_BODY "masks_body.h"
#include "each_level.h"

typedef struct {
  void (*argmax_floats)(const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, uint8_t *);
  void (*argmax_halves)(const int16_t *, Py_ssize_t, Py_ssize_t, Py_ssize_t, uint8_t *);
  void (*blend)(const uint8_t *, const uint16_t *, const uint16_t *, Py_ssize_t, uint8_t *, Py_ssize_t, int);
  void (*add)(const uint8_t *, uint16_t *, Py_ssize_t);
} Masks;

static inline Masks masks_for(int level) {
  Masks bodies = {CHOOSE(level, argmax_floats), CHOOSE(level, argmax_halves), CHOOSE(level, blend), CHOOSE(level, add)};
  return bodies;
}

/* ---- a mask laid over a picture */

#define RUN 16  /* numbers of colour that are written at once: five pixels and one number over */
#define PIXELS 5

typedef struct {
  Py_ssize_t height, width, mask_height, mask_width;
  double scale_y, scale_x, top, left; /* mask pixels: where a picture's pixel lies in the mask, as a Placement says */
  uint16_t colour[256][RUN];          /* blue, green, red, blue, ... times alpha, plus 128 */
  uint16_t through[256];              /* 255 - alpha */
  int even;                           /* whether all have the same alpha */
} Overlay;

static inline void overlay_palette(Overlay *how, const uint8_t *palette, Py_ssize_t columns, unsigned alpha) {
  how->even = columns == 3;
  for (int entry = 0; entry < 256; entry++, palette += columns) {
    if (columns == 4) alpha = palette[3];
    for (int i = 0; i < RUN; i++) how->colour[entry][i] = (uint16_t)(palette[i % 3] * alpha + 128);
    how->through[entry] = (uint16_t)(255 - alpha);
  }
}

/* Which pixel of a mask's side a picture's pixel lies in, by its middle. */
static inline int32_t overlay_place(Py_ssize_t pixel, double scale, double offset, Py_ssize_t side) {
  double place = floor(((double)pixel + 0.5) * scale + offset);
  return place >= (double)side ? (int32_t)(side - 1) : place > 0 ? (int32_t)place : 0;
}

typedef struct {
  int32_t column, first, end; /* a mask's pixel, and the picture's pixels that lie in it */
} Span;

static inline Py_ssize_t overlay_spans(const Overlay *how, Span *spans) {
  Py_ssize_t count = 0;
  for (Py_ssize_t x = 0; x < how->width; x++) {
    int32_t column = overlay_place(x, how->scale_x, how->left, how->mask_width);
    if (count == 0 || spans[count - 1].column != column) {
      spans[count].column = column;
      spans[count++].first = (int32_t)x;
    }
    spans[count - 1].end = (int32_t)x + 1;
  }
  return count;
}

/* The colours of some spans. What is written over a span's end the next span writes again; the last one is written to
   its end alone. */
static inline void overlay_spans_in(const Overlay *how, const uint8_t *mask, const Span *span, const Span *last,
                                    uint16_t *colour, uint16_t *through) {
  for (const Span *each = span; each <= last; each++) {
    const uint16_t *colours = how->colour[mask[each->column]];
    for (Py_ssize_t x = each->first; x < each->end && each < last; x += PIXELS) {
      memcpy(colour + 3 * x, colours, RUN * sizeof(uint16_t));
    }
    for (Py_ssize_t x = each->first; x < each->end && each == last; x++) {
      memcpy(colour + 3 * x, colours, 3 * sizeof(uint16_t));
    }
    if (how->even) continue;
    for (Py_ssize_t i = 3 * each->first; i < 3 * each->end; i++) through[i] = how->through[mask[each->column]];
  }
}

/* Whether some pixels of a mask are those of the row before. */
static inline int overlay_same(const uint8_t *mask, const uint8_t *before, Py_ssize_t columns) {
  if (columns == LINE) {
    uint64_t differ = 0, now, then;
    for (int i = 0; i < LINE; i += 8) {
      memcpy(&now, mask + i, 8);
      memcpy(&then, before + i, 8);
      differ |= now ^ then;
    }
    return differ == 0;
  }
  return memcmp(mask, before, columns) == 0;
}

/* One row of the mask as wide as the picture. Most of it is the row before, which is left as it is: 64 spans at once, and
   of others eight. */
static inline void overlay_row(const Overlay *how, const uint8_t *mask, const uint8_t *before, const Span *spans,
                               Py_ssize_t count, uint16_t *colour, uint16_t *through, Py_ssize_t step) {
  for (Py_ssize_t i = 0; i < count; i += step) {
    const Span *span = spans + i, *last = spans + (count - i < step ? count : i + step) - 1;
    Py_ssize_t columns = last->column - span->column + 1;
    if (before != NULL && overlay_same(mask + span->column, before + span->column, columns)) continue;
    if (before != NULL && step > 8) overlay_row(how, mask, before, span, last - span + 1, colour, through, 8);
    else overlay_spans_in(how, mask, span, last, colour, through);
  }
}

/* memory: overlay_memory(width) bytes */
static inline size_t overlay_memory(Py_ssize_t width) {
  return width * sizeof(Span) + 2 * (3 * width + LINE) * sizeof(uint16_t) + 2 * LINE;
}

/* Where a row of colours begins, that vectors of it end where a line does whenever those of the first row of out do. */
static inline uint16_t *overlay_colours(void *memory, const uint8_t *out) {
  uintptr_t line = ((uintptr_t)memory + LINE - 1) / LINE * LINE;
  return (uint16_t *)(line + (uintptr_t)out % LINE * sizeof(uint16_t) % LINE);
}

static inline void overlay(const Overlay *how, const uint8_t *pixels, const uint8_t *mask, uint8_t *out, void *memory,
                           const Masks *bodies) {
  Span *spans = memory;
  uint16_t *colour = overlay_colours(spans + how->width, out), *through = colour + 3 * how->width + LINE;
  Py_ssize_t pitch = 3 * how->width, all = pitch * how->height, count = overlay_spans(how, spans);
  const int apart = out + all <= pixels || pixels + all <= out;
  int32_t at = -1;
  for (int i = 0; i < LINE && how->even; i++) through[i] = how->through[0];
  for (Py_ssize_t y = 0; y < how->height; y++) {
    int32_t row = overlay_place(y, how->scale_y, how->top, how->mask_height);
    if (row != at) {
      const uint8_t *before = at < 0 ? NULL : mask + at * how->mask_width;
      overlay_row(how, mask + row * how->mask_width, before, spans, count, colour, through, LINE);
      at = row;
    }
    bodies->blend(pixels + y * pitch, colour, through, !how->even, out + y * pitch, pitch, apart);
  }
}

/* ---- a zone of a picture, without its details */

typedef struct {
  uint8_t *corner;                 /* its first byte */
  Py_ssize_t pitch, height, width; /* bytes from one row to the next; pixels */
} Zone;

static inline void zone_repeat(const Zone *zone, const uint8_t *row, Py_ssize_t first, Py_ssize_t end) {
  for (Py_ssize_t y = first; y < end; y++) memcpy(zone->corner + y * zone->pitch, row, 3 * zone->width);
}

/* Sum up rows first..end - 1, 257 at a time: as many bytes as 16 bits can hold. */
static inline void zone_sums(const Zone *zone, Py_ssize_t first, Py_ssize_t end, uint16_t *few, uint32_t *sums,
                             const Masks *bodies) {
  Py_ssize_t bytes = 3 * zone->width;
  memset(sums, 0, bytes * sizeof(uint32_t));
  while (first < end) {
    Py_ssize_t until = end - first > 257 ? first + 257 : end;
    memset(few, 0, bytes * sizeof(uint16_t));
    for (; first < until; first++) bodies->add(zone->corner + first * zone->pitch, few, bytes);
    for (Py_ssize_t i = 0; i < bytes; i++) sums[i] += few[i];
  }
}

/* The mean colour of each cell in a row of cells, `high` pixels high. */
static inline void zone_means(const uint32_t *sums, Py_ssize_t width, Py_ssize_t high, Py_ssize_t cell, uint8_t *row) {
  for (Py_ssize_t left = 0; left < width; left += cell) {
    Py_ssize_t wide = width - left < cell ? width - left : cell;
    uint64_t count = (uint64_t)(wide * high), total[3] = {count / 2, count / 2, count / 2};
    for (Py_ssize_t i = 3 * left; i < 3 * (left + wide); i += 3) {
      for (int channel = 0; channel < 3; channel++) total[channel] += sums[i + channel];
    }
    for (int channel = 0; channel < 3; channel++) total[channel] /= count;
    for (Py_ssize_t i = 3 * left; i < 3 * (left + wide); i += 3) {
      for (int channel = 0; channel < 3; channel++) row[i + channel] = (uint8_t)total[channel];
    }
  }
}

/* memory: (4 + 2 + 1) * 3 * width bytes */
static inline void zone_mosaic(const Zone *zone, Py_ssize_t cell, void *memory, const Masks *bodies) {
  uint32_t *sums = memory;
  uint16_t *few = (uint16_t *)(sums + 3 * zone->width);
  uint8_t *row = (uint8_t *)(few + 3 * zone->width);
  for (Py_ssize_t top = 0; top < zone->height; top += cell) {
    Py_ssize_t end = zone->height - top < cell ? zone->height : top + cell;
    zone_sums(zone, top, end, few, sums, bodies);
    zone_means(sums, zone->width, end - top, cell, row);
    zone_repeat(zone, row, top, end);
  }
}

/* memory: 3 * width bytes */
static inline void zone_fill(const Zone *zone, const uint8_t *colour, uint8_t *memory) {
  for (Py_ssize_t i = 0; i < 3 * zone->width; i++) memory[i] = colour[i % 3];
  zone_repeat(zone, memory, 0, zone->height);
}
