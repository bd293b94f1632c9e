/* One class of boxes, thinned out; included by suppression.h for each level. */

#include "lanes.h"

/* Mark those of boxes first..end - 1 whose intersection with `box` is above `iou` of the union. A NaN never is. */
static inline void NAMED(suppress)(const Crowd *crowd, Py_ssize_t box, Py_ssize_t first, Py_ssize_t end, float iou) {
  const vf x1 = ALL(crowd->x1[box]), y1 = ALL(crowd->y1[box]), x2 = ALL(crowd->x2[box]), y2 = ALL(crowd->y2[box]);
  const vf area = ALL(crowd->area[box]), zero = ALL(0.0f);
  vi lane;
  for (int i = 0; i < LANES; i++) lane[i] = i;
  for (Py_ssize_t i = first; i < end; i += LANES) {
    vf width = NAMED(lower)(LOAD(crowd->x2 + i), x2) - NAMED(higher)(LOAD(crowd->x1 + i), x1);
    vf height = NAMED(lower)(LOAD(crowd->y2 + i), y2) - NAMED(higher)(LOAD(crowd->y1 + i), y1);
    vf shared = NAMED(higher)(width, zero) * NAMED(higher)(height, zero);
    vf united = area + LOAD(crowd->area + i) - shared;
    vi hit = (shared > zero) & (shared > iou * united) & (lane < (int32_t)(end - i));
    *(vi *)(crowd->gone + i) |= hit;
  }
}

/* One class, boxes first..end - 1: `gone` is left at 0 for those that stay, the best `limit` at most. */
static void NAMED(thin_out)(const Crowd *crowd, Py_ssize_t first, Py_ssize_t end, float iou, Py_ssize_t limit) {
  Py_ssize_t kept = 0;
  for (Py_ssize_t box = first; box < end; box++) {
    if (crowd->gone[box]) continue;
    if (kept == limit) {
      crowd->gone[box] = -1;
      continue;
    }
    kept++;
    if (box + 1 < end) NAMED(suppress)(crowd, box, box + 1, end, iou);
  }
}
