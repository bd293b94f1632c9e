/* The highest of some scores, and those that reach a limit; included by the body of each room of decoders, for each
   level, behind lanes.h. */

/* One bit for each lane of values that is at least `limit`. */
static inline unsigned NAMED(reaching)(const float *values, float limit) {
#if LEVEL >= 4
  return _mm512_cmp_ps_mask((__m512)LOAD(values), _mm512_set1_ps(limit), _CMP_GE_OQ);
#else
  return NAMED(bits)(LOAD(values) >= limit);
#endif
}

#define STRETCH 64 /* values that are looked at together: one branch for all of them */

static inline int NAMED(any_reaching)(const float *values, float limit) {
#if LEVEL >= 4
  return (NAMED(reaching)(values, limit) | NAMED(reaching)(values + LANES, limit) |
          NAMED(reaching)(values + 2 * LANES, limit) | NAMED(reaching)(values + 3 * LANES, limit)) != 0;
#else
  vf some = LOAD(values), more = LOAD(values + LANES), old = ALL(-INFINITY);
  some = NAMED(higher)(some, old), more = NAMED(higher)(more, old); /* no NaN from here on */
  for (Py_ssize_t i = 2 * LANES; i < STRETCH; i += 2 * LANES) {
    some = NAMED(higher)(LOAD(values + i), some);
    more = NAMED(higher)(LOAD(values + i + LANES), more);
  }
  return NAMED(bits)(NAMED(higher)(some, more) >= limit) != 0;
#endif
}

/* The next of values i..end - 1 that is at least `limit`; `end` where none is. */
static Py_ssize_t NAMED(next_reaching)(const float *values, Py_ssize_t i, Py_ssize_t end, float limit) {
  while (i + STRETCH <= end && !NAMED(any_reaching)(values + i, limit)) i += STRETCH;
  for (; i + LANES <= end; i += LANES) {
    unsigned reach = NAMED(reaching)(values + i, limit);
    if (reach) return i + __builtin_ctz(reach);
  }
  for (; i < end; i++) {
    if (values[i] >= limit) return i;
  }
  return end;
}
#undef STRETCH

/* The highest of some scores; minus infinity where all are NaN. */
static float NAMED(peak)(const float *scores, Py_ssize_t count) {
  float highest = -INFINITY;
  Py_ssize_t i = 0;
  if (count >= LANES) {
    vf peak = ALL(-INFINITY);
    for (; i + LANES <= count; i += LANES) peak = NAMED(higher)(LOAD(scores + i), peak);
    highest = NAMED(highest_lane)(peak);
  }
  for (; i < count; i++) highest = scores[i] > highest ? scores[i] : highest;
  return highest;
}

/* The first of some scores that is this one; 0 where none is, which a finite one excludes. */
static Py_ssize_t NAMED(first_with)(const float *scores, Py_ssize_t count, float score) {
  Py_ssize_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    unsigned same = NAMED(bits)(LOAD(scores + i) == score);
    if (same) return i + __builtin_ctz(same);
  }
  for (; i < count; i++) {
    if (scores[i] == score) return i;
  }
  return 0;
}
