/* The best of many scores, and what their exponentials sum up to; included by scores.h for each level. */

#include "lanes.h"

/* The highest of each column of each tile, TILE rows of TILE scores, the last one with fewer rows; never a NaN. */
static void NAMED(column_peaks)(const float *scores, Py_ssize_t rows, float *peaks) {
  for (; rows > 0; rows -= TILE, scores += TILE * TILE, peaks += TILE) {
    int high = rows < TILE ? (int)rows : TILE;
    for (int column = 0; column < TILE; column += LANES) {
      vf peak = ALL(-INFINITY);
      for (int row = 0; row < high; row++) peak = NAMED(higher)(LOAD(scores + TILE * row + column), peak);
      *(vf *)(peaks + column) = peak;
    }
  }
}

/* The sum of exp(score - peak), the peak being a finite one; a NaN counts nothing. */
static double NAMED(exponentials)(const float *scores, Py_ssize_t count, float peak) {
  double total = 0;
  Py_ssize_t i = 0;
  while (i + LANES <= count) {
    Py_ssize_t end = count - i > 4096 ? i + 4096 : count; /* few enough for a float to hold their sum */
    vf sum = ALL(0.0f), more = ALL(0.0f);
    for (; i + 2 * LANES <= end; i += 2 * LANES) {
      sum += NAMED(exponential)(LOAD(scores + i) - peak);
      more += NAMED(exponential)(LOAD(scores + i + LANES) - peak);
    }
    for (; i + LANES <= end; i += LANES) sum += NAMED(exponential)(LOAD(scores + i) - peak);
    sum += more;
    for (int lane = 0; lane < LANES; lane++) total += sum[lane];
    if (end == count) break;
  }
  if (i < count) {
    float rest[VECTOR / sizeof(float)];
    for (Py_ssize_t lane = 0; lane < LANES; lane++) rest[lane] = i + lane < count ? scores[i + lane] : -INFINITY;
    vf last = NAMED(exponential)(LOAD(rest) - peak);
    for (int lane = 0; lane < LANES; lane++) total += last[lane];
  }
  return total;
}
