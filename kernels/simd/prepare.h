/* Rows of `prepare`: source rows across into planes of 16-bit numbers (across_*), and two of those into a row of the
   tensor (blend_*). All in fixed point: a grey level is 64 units, a weight is -32768 times itself, so that one
   rounding multiply (PMULHRSW) blends two neighbours exactly at weights 0 and 1 and to 1/128 of a level between. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "half.h"
#include "level.h"

#define UNITS 64  /* of a grey level */

/* Which bytes of a source row each pixel of an output row is made of; kernels/gather.py and chunks.py make the tables. */
typedef struct {
  const int32_t* first;   /* (padded,): the left source pixel */
  const int32_t* offset;  /* bytes to it: (padded,), or with `near` (padded / 2,), to the 16 bytes that hold two, or of
                             NV12 (padded / 4,), to those that hold four */
  const int32_t* beside;  /* bytes to its colours in the second plane of NV12, as many as of `offset` */
  const uint8_t* mask;    /* (padded / 2, 16): shuffles two pixels into pairs of neighbours, a dword a channel; of NV12
                             what kernels/gather.py says */
  const int16_t* weight;  /* (padded,): of the right neighbour, times -32768 */
  const int32_t* at;      /* (padded / 8,): bytes to the chunks of 64 that hold eight pixels, or (padded / 2,) to halves */
  const int32_t* at_beside; /* the same in the second plane of NV12 */
  const uint8_t* order;   /* (padded / 8, 64): sorts the chunks' bytes by channel, eight pairs of neighbours each */
  ptrdiff_t padded;       /* pixels, a multiple of 16; those behind the last repeat it */
  ptrdiff_t step;         /* pixels to the right neighbour: 1, or 0 in a source of one */
  int reads;              /* FAR .. WIDE_3 */
  int plain;              /* every weight is 0 */
} Across;

/* How the pixels of a group are brought together: */
#define FAR 0    /* each by itself */
#define NEAR 1   /* 16 bytes hold both pixels of every pair, or of NV12 all four */
#define WIDE_1 2 /* one chunk of 64 bytes, two or three hold eight pixels: only where the CPU moves_bytes */
#define WIDE_2 3
#define WIDE_3 4
#define WIDE_HALVES 5 /* four halves of 32 bytes, each with two of eight pixels */

/* What becomes of a blended value: value * multiply + add. */
typedef struct {
  float multiply, add;
} Numbers;

/* Where a row of each channel of the source goes. */
typedef struct {
  uint8_t* rows[3];
  Numbers numbers[3];
  ptrdiff_t length; /* pixels */
  int floats;       /* 32 bits each, else bytes */
} Planes;

static inline int multiply_round(int a, int b) { return (a * b + 0x4000) >> 15; } /* as PMULHRSW */

static inline int16_t between(int left, int right, int weight) {
  return (int16_t)(left + multiply_round(left - right, weight));
}

/* BT.601 of limited range in 20 bits, as cv2 and `convert` reckon it; each factor is HIGH * 128 + LOW. */
#define LUMA_HIGH 9535
#define LUMA_LOW 62
#define BLUE_U_HIGH 16531
#define BLUE_U_LOW 58
#define GREEN_U_HIGH (-3203)
#define GREEN_U_LOW (-9)
#define GREEN_V_HIGH (-6660)
#define GREEN_V_LOW (-12)
#define RED_V_HIGH 13074
#define RED_V_LOW 55
#define HIGH_SHIFT 13
#define HALF (1 << (HIGH_SHIFT - 1))
#define FACTOR(name) (name##_HIGH * 128 + name##_LOW)

static inline int clamped(int value) {
  value >>= HIGH_SHIFT + 7;
  return (value < 0 ? 0 : value > 255 ? 255 : value) * UNITS;
}

static inline void color_of(int y, int u, int v, int* out) {
  y = (y < 16 ? 0 : y - 16) * FACTOR(LUMA) + HALF * 128, u -= 128, v -= 128;
  out[0] = clamped(y + FACTOR(BLUE_U) * u);
  out[1] = clamped(y + FACTOR(GREEN_U) * u + FACTOR(GREEN_V) * v);
  out[2] = clamped(y + FACTOR(RED_V) * v);
}

/* Every step'th item; told apart so that the compiler makes vectors of step 1. */
static inline void fill_floats(float* out, float value, ptrdiff_t length, ptrdiff_t step) {
  if (step == 1)
    for (ptrdiff_t i = 0; i < length; i++) out[i] = value;
  else
    for (ptrdiff_t i = 0; i < length; i++) out[i * step] = value;
}

static inline void fill_halves(uint16_t* out, uint16_t value, ptrdiff_t length, ptrdiff_t step) {
  if (step == 1)
    for (ptrdiff_t i = 0; i < length; i++) out[i] = value;
  else
    for (ptrdiff_t i = 0; i < length; i++) out[i * step] = value;
}

#define LEVEL_BODY "prepare_body.h"
#define LEVEL_BYTES
#include "each_level.h"

typedef void (*AcrossRow)(const uint8_t* row, const uint8_t* colours, const Across* how, int16_t* out);
typedef void (*SplitRow)(const uint8_t* row, uint8_t* first, uint8_t* second, uint8_t* third, ptrdiff_t length);
typedef void (*FusedRows)(const uint8_t* upper, const uint8_t* lower, const Across* how, int weight, const Planes* to);
typedef void (*LumaRow)(const int16_t* rows, const int16_t* luma, int16_t* out, ptrdiff_t padded);
typedef void (*BlendBytes)(const int16_t* upper, const int16_t* lower, int weight, uint8_t* out, ptrdiff_t length);
typedef void (*ByteFloats)(const uint8_t* row, const Numbers* numbers, float* out, ptrdiff_t length);
typedef void (*BlendHalves)(const int16_t*, const int16_t*, int, const Numbers*, int, uint16_t*, ptrdiff_t);
typedef void (*BlendFloats)(const int16_t*, const int16_t*, int, const Numbers*, int, float*, ptrdiff_t);

typedef struct {
  AcrossRow three, yuyv, nv12, one;
  FusedRows fused; /* NULL where the level has none */
  LumaRow luma;
  SplitRow split;
  ByteFloats spread;
  BlendBytes bytes;
  BlendHalves halves;
  BlendFloats floats;
  int wide; /* whether `across` and `fused` can read WIDE_1 .. WIDE_3 */
} PrepareRows;

/* AVX-512 without byte permutes gains nothing here: such a CPU runs the bodies of v3. */
static inline PrepareRows prepare_rows(int level) {
  const int wide = level >= 4 && level_moves_bytes();
  if (level >= 4 && !wide) level = 3;
  PrepareRows rows = {
      CHOOSE(level, across_three), CHOOSE(level, across_yuyv), CHOOSE(level, across_nv12),
      CHOOSE(level, across_one),   level >= 2 ? CHOOSE(level, fused_rows) : NULL,
      CHOOSE(level, luma_row),     CHOOSE(level, split_row),   CHOOSE(level, byte_floats),
      CHOOSE(level, blend_bytes),  CHOOSE(level, blend_halves), CHOOSE(level, blend_floats),
      wide,
  };
  return rows;
}
