/* Which class a pixel is, and its colour; included by masks.h for each level. */

#include "lanes.h"

/* Raise the best scores of some pixels by `rows` classes, numbered from `first` on; the classes lie `step` apart. */
static inline void NAMED(rise)(const float *scores, Py_ssize_t step, int rows, int32_t first, float *highest,
                               int32_t *labels, Py_ssize_t pixels) {
  for (Py_ssize_t i = 0; i < pixels; i += LANES) {
    vf peak = LOAD(highest + i);
    vi label = *(vi *)(labels + i);
    for (int row = 0; row < rows; row++) {
      vf score = LOAD(scores + row * step + i);
#if LEVEL >= 4
      __mmask16 rose = _mm512_cmp_ps_mask((__m512)score, (__m512)peak, _CMP_GT_OQ);
      label = (vi)_mm512_mask_mov_epi32((__m512i)label, rose, _mm512_set1_epi32(first + row));
#else
      vi rose = score > peak;
      label = (rose & (first + row)) | (~rose & label);
#endif
      peak = NAMED(higher)(score, peak);
    }
    *(vf *)(highest + i) = peak;
    *(vi *)(labels + i) = label;
  }
}

/* The class of the highest score of each of up to BLOCK pixels; of equal ones the first, and a NaN is never it. */
static void NAMED(argmax_floats)(const float *scores, Py_ssize_t step, Py_ssize_t classes, Py_ssize_t pixels,
                                 uint8_t *out) {
  float highest[BLOCK];
  int32_t labels[BLOCK];
  Py_ssize_t whole = pixels - pixels % LANES;
  for (Py_ssize_t i = 0; i < whole; i++) highest[i] = -INFINITY, labels[i] = 0;
  for (Py_ssize_t first = 0; first < classes; first += GROUP) {
    const float *rows = scores + first * step;
    if (classes - first >= GROUP) {
      NAMED(rise)(rows, step, GROUP, (int32_t)first, highest, labels, whole);
    } else {
      NAMED(rise)(rows, step, (int)(classes - first), (int32_t)first, highest, labels, whole);
    }
  }
  for (Py_ssize_t i = 0; i < whole; i++) out[i] = (uint8_t)labels[i];
  for (Py_ssize_t i = whole; i < pixels; i++) {
    float peak = -INFINITY;
    out[i] = 0;
    for (Py_ssize_t c = 0; c < classes; c++) {
      if (scores[c * step + i] > peak) peak = scores[c * step + i], out[i] = (uint8_t)c;
    }
  }
}

/* The same of halves: a half's order is that of a whole number of 16 bits, once its sign is made two's complement. */
static inline int16_t NAMED(half_order)(int16_t half) {
  int16_t size = half & 0x7fff;
  return size > 0x7c00 ? INT16_MIN : half < 0 ? -size : size;
}

static inline vh NAMED(half_orders)(vh half) {
  vh size = half & 0x7fff, sign = half >> 15, none = size > 0x7c00;
  vh order = (size ^ sign) - sign;
  return (none & INT16_MIN) | (~none & order);
}

static void NAMED(argmax_halves)(const int16_t *scores, Py_ssize_t step, Py_ssize_t classes, Py_ssize_t pixels,
                                 uint8_t *out) {
  const Py_ssize_t lanes = VECTOR / sizeof(int16_t);
  int16_t highest[BLOCK], labels[BLOCK];
  Py_ssize_t whole = pixels - pixels % lanes;
  for (Py_ssize_t i = 0; i < whole; i++) highest[i] = -0x7c00, labels[i] = 0; /* minus infinity */
  for (Py_ssize_t c = 0; c < classes; c++) {
    for (Py_ssize_t i = 0; i < whole; i += lanes) {
      vh order = NAMED(half_orders)(*(const vh *)(scores + c * step + i)), *peak = (vh *)(highest + i);
      vh rose = order > *peak, *label = (vh *)(labels + i);
      *peak = (rose & order) | (~rose & *peak);
      *label = (rose & (int16_t)c) | (~rose & *label);
    }
  }
  for (Py_ssize_t i = 0; i < whole; i++) out[i] = (uint8_t)labels[i];
  for (Py_ssize_t i = whole; i < pixels; i++) {
    int16_t peak = -0x7c00;
    out[i] = 0;
    for (Py_ssize_t c = 0; c < classes; c++) {
      int16_t order = NAMED(half_order)(scores[c * step + i]);
      if (order > peak) peak = order, out[i] = (uint8_t)c;
    }
  }
}

#if LEVEL >= 4
typedef __m512i NAMED(wide);
#define WIDE(name) _mm512_##name
#define WIDE_LOAD(pointer) _mm512_loadu_si512(pointer)
#define WIDE_STORE(pointer, bytes) _mm512_storeu_si512(pointer, bytes)
#elif LEVEL == 3
typedef __m256i NAMED(wide);
#define WIDE(name) _mm256_##name
#define WIDE_LOAD(pointer) _mm256_loadu_si256((const __m256i *)(pointer))
#define WIDE_STORE(pointer, bytes) _mm256_storeu_si256((__m256i *)(pointer), bytes)
#elif LEVEL == 2
typedef __m128i NAMED(wide);
#define WIDE(name) _mm_##name
#define WIDE_LOAD(pointer) _mm_loadu_si128((const __m128i *)(pointer))
#define WIDE_STORE(pointer, bytes) _mm_storeu_si128((__m128i *)(pointer), bytes)
#endif

#if LEVEL >= 2
/* (pixel * through + colour) / 255 of as many pixels as there are 16-bit numbers in a vector. */
static inline NAMED(wide) NAMED(blended)(NAMED(wide) pixels, const uint16_t *colour, const uint16_t *through) {
  NAMED(wide) sum = WIDE(add_epi16)(WIDE(mullo_epi16)(pixels, WIDE_LOAD(through)), WIDE_LOAD(colour));
  return WIDE(mulhi_epu16)(sum, WIDE(set1_epi16)(257)); /* which is (sum + sum / 256) / 256, cut twice */
}

/* A vector of bytes. */
static inline NAMED(wide) NAMED(blended_bytes)(const uint8_t *pixels, const uint16_t *colour, const uint16_t *through) {
  const uint16_t *colour_high = colour + VECTOR / 2, *through_high = through + VECTOR / 2;
#if LEVEL >= 4
  const __m512i sorted = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  __m512i low = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)pixels));
  __m512i high = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(pixels + 32)));
  low = NAMED(blended)(low, colour, through), high = NAMED(blended)(high, colour_high, through_high);
  return _mm512_permutexvar_epi64(sorted, _mm512_packus_epi16(low, high));
#elif LEVEL == 3
  __m256i low = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)pixels));
  __m256i high = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(pixels + 16)));
  low = NAMED(blended)(low, colour, through), high = NAMED(blended)(high, colour_high, through_high);
  return _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8);
#else
  __m128i eight = _mm_loadu_si128((const __m128i *)pixels);
  __m128i low = NAMED(blended)(_mm_cvtepu8_epi16(eight), colour, through);
  __m128i high = NAMED(blended)(_mm_unpackhi_epi8(eight, _mm_setzero_si128()), colour_high, through_high);
  return _mm_packus_epi16(low, high);
#endif
}
#endif

/* A row of bytes under a row of colours: (pixel * through + colour) / 255 to the nearest; colour has 128 within.
   step: 1, or 0 where the first of `through`, which are 64 then, serve everywhere. apart: out and pixels share no byte, so
   that the first vector may lie over the second, which begins where a line of `out` does. */
static void NAMED(blend)(const uint8_t *pixels, const uint16_t *colour, const uint16_t *through, Py_ssize_t step,
                         uint8_t *out, Py_ssize_t bytes, int apart) {
  Py_ssize_t i = 0;
  (void)apart;
#if LEVEL >= 2
  if (apart && bytes >= VECTOR) {
    WIDE_STORE(out, NAMED(blended_bytes)(pixels, colour, through));
    i = VECTOR - (Py_ssize_t)((uintptr_t)out % VECTOR);
  }
  for (; i + VECTOR <= bytes; i += VECTOR)
    WIDE_STORE(out + i, NAMED(blended_bytes)(pixels + i, colour + i, through + i * step));
#endif
  for (; i < bytes; i++) {
    uint16_t sum = (uint16_t)(pixels[i] * through[i * step] + colour[i]);
    out[i] = (uint8_t)((uint16_t)(sum + (sum >> 8)) >> 8);
  }
}
#undef WIDE
#undef WIDE_LOAD
#undef WIDE_STORE

/* Add a row of bytes to a row of sums. */
static void NAMED(add)(const uint8_t *pixels, uint16_t *sums, Py_ssize_t bytes) {
  for (Py_ssize_t i = 0; i < bytes; i++) sums[i] = (uint16_t)(sums[i] + pixels[i]);
}
