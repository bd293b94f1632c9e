/* What is read of the cells of a grid; included by cells.h for each level. */

#include "lanes.h"
#include "search_body.h"

/* Up to FOUND of the cells from `*from` on that have a score of at least `limit`; how many. All scores are looked
   through as one row of memory; what else a cell has, `step` numbers, is asked for once it is found. */
static Py_ssize_t NAMED(cells_reaching)(const float *scores, Py_ssize_t classes, Py_ssize_t *from, Py_ssize_t cells,
                                        float limit, const float *others, Py_ssize_t step, Py_ssize_t *found) {
  Py_ssize_t count = 0, end = cells * classes, cell = *from;
  while (count < FOUND && cell < cells) {
    cell = NAMED(next_reaching)(scores, cell * classes, end, limit) / classes;
    if (cell == cells) break;
    ask(others + cell * step, step);
    found[count++] = cell++;
  }
  *from = cell;
  return count;
}

/* cls * obj, each cut to 0..1; a NaN stays. */
static inline vf NAMED(product)(vf cls, vf obj) {
  const vf zero = ALL(0.0f), one = ALL(1.0f);
  return NAMED(lower)(one, NAMED(higher)(zero, cls)) * NAMED(lower)(one, NAMED(higher)(zero, obj));
}

/* The next of faces i..end - 1 whose sqrt(cls * obj) may be `limit`, by its square with room for rounding. */
static Py_ssize_t NAMED(next_face)(const float *cls, const float *obj, Py_ssize_t i, Py_ssize_t end, float limit) {
  const float square = limit > 0 ? limit * limit * 0.9999f : 0.0f;
  for (; i + LANES <= end; i += LANES) {
    unsigned reach = NAMED(bits)(NAMED(product)(LOAD(cls + i), LOAD(obj + i)) >= square);
    if (reach) return i + __builtin_ctz(reach);
  }
  return i;
}

typedef float NAMED(sides) __attribute__((vector_size(16), aligned(4), may_alias)); /* one lane for each */
typedef int32_t NAMED(masks) __attribute__((vector_size(16), aligned(4), may_alias));
#define SIDES NAMED(sides)
#define PIECE 16 /* bins of each side whose weights are held at a time */

/* `count` bins of four sides that have `length` each, side by side: four at a time as long as there are four. */
static inline void NAMED(side_by_side)(const float *bins, Py_ssize_t length, Py_ssize_t count, SIDES *out) {
  Py_ssize_t k = 0;
#if LEVEL >= 2
  for (; k + 4 <= count; k += 4) {
    __m128 left = _mm_loadu_ps(bins + k), top = _mm_loadu_ps(bins + length + k);
    __m128 right = _mm_loadu_ps(bins + 2 * length + k), bottom = _mm_loadu_ps(bins + 3 * length + k);
    _MM_TRANSPOSE4_PS(left, top, right, bottom);
    out[k] = (SIDES)left, out[k + 1] = (SIDES)top, out[k + 2] = (SIDES)right, out[k + 3] = (SIDES)bottom;
  }
#endif
  for (; k < count; k++)
    out[k] = (SIDES){bins[k], bins[length + k], bins[2 * length + k], bins[3 * length + k]};
}

/* The mean bin of a softmax over the bins of each of four sides; NaN where a bin is NaN or infinite, or all are minus
   infinity. Summed up bin by bin, at each level to the same bits. */
static void NAMED(expectations)(const float *bins, Py_ssize_t length, float *means) {
  float weights[4 * PIECE + VECTOR / sizeof(float)];
  SIDES peak = (SIDES){0} - INFINITY, total = {0}, moment = {0}, *here = (SIDES *)weights;
  NAMED(masks) known = {-1, -1, -1, -1};
  for (Py_ssize_t i = 0; i < length; i += PIECE) {
    Py_ssize_t count = length - i < PIECE ? length - i : PIECE;
    NAMED(side_by_side)(bins + i, length, count, here);
    for (Py_ssize_t k = 0; k < count; k++) {
      NAMED(masks) rose = here[k] > peak;
      peak = (SIDES)((rose & (NAMED(masks))here[k]) | (~rose & (NAMED(masks))peak));
      known &= here[k] < INFINITY;
    }
  }
  known &= peak > -INFINITY;
  for (Py_ssize_t i = 0; i < length; i += PIECE) {
    Py_ssize_t count = length - i < PIECE ? length - i : PIECE;
    if (length > PIECE) NAMED(side_by_side)(bins + i, length, count, here); /* else they are still there */
    for (Py_ssize_t k = 0; k < count; k++) here[k] -= peak;
    *(vf *)(weights + 4 * count) = ALL(0.0f);
    for (Py_ssize_t at = 0; at < 4 * count; at += LANES) *(vf *)(weights + at) = NAMED(exponential)(LOAD(weights + at));
    for (Py_ssize_t k = 0; k < count; k++) {
      total += here[k];
      moment += here[k] * (float)(i + k);
    }
  }
  *(SIDES *)means = (SIDES)((known & (NAMED(masks))(moment / total)) | (~known & (NAMED(masks))((SIDES){0} + NAN)));
}
#undef SIDES
#undef PIECE
