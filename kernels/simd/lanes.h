/* Vectors of one level, for a body that each_level.h includes once for each (so no #pragma once): it says what happens
   to the floats of a `vf` or the integers of a `vi` and never how many they are. GCC's and Clang's own vectors, so that
   one text serves every level and NEON; only what they cannot say well is an intrinsic. */

#undef VECTOR
#if LEVEL >= 4
#define VECTOR 64
#elif LEVEL == 3
#define VECTOR 32
#else
#define VECTOR 16
#endif

#undef vf
#undef vi
#undef vu
#undef vh
#undef LANES
#define vf NAMED(floats)
#define vi NAMED(integers)
#define vu NAMED(words)
#define vh NAMED(shorts)
#define LANES ((Py_ssize_t)(VECTOR / sizeof(float)))

typedef float vf __attribute__((vector_size(VECTOR), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(VECTOR), aligned(4), may_alias));
typedef uint32_t vu __attribute__((vector_size(VECTOR), aligned(4), may_alias));
typedef int16_t vh __attribute__((vector_size(VECTOR), aligned(2), may_alias));

#define LOAD(pointer) (*(const vf *)(pointer))
#define ALL(value) ((vf){0} + (value))
#define EITHER(mask, yes, no) ((vf)(((mask) & (vi)(yes)) | (~(mask) & (vi)(no))))

/* The higher of two, and `old` where `fresh` is NaN: a NaN never wins. */
static inline vf NAMED(higher)(vf fresh, vf old) {
#if LEVEL == 2
  return (vf)_mm_max_ps((__m128)fresh, (__m128)old);
#elif LEVEL == 3
  return (vf)_mm256_max_ps((__m256)fresh, (__m256)old);
#elif LEVEL >= 4
  return (vf)_mm512_max_ps((__m512)fresh, (__m512)old);
#else
  vi mask = fresh > old;
  return EITHER(mask, fresh, old);
#endif
}

/* The lower of two, and `old` where `fresh` is NaN. */
static inline vf NAMED(lower)(vf fresh, vf old) {
#if LEVEL >= 4
  return (vf)_mm512_min_ps((__m512)fresh, (__m512)old);
#elif LEVEL == 3
  return (vf)_mm256_min_ps((__m256)fresh, (__m256)old);
#elif LEVEL == 2
  return (vf)_mm_min_ps((__m128)fresh, (__m128)old);
#else
  vi mask = fresh < old;
  return EITHER(mask, fresh, old);
#endif
}

/* The highest lane, none of which is NaN. */
static inline float NAMED(highest_lane)(vf values) {
#if LEVEL >= 4
  return _mm512_reduce_max_ps((__m512)values);
#elif LEVEL >= 2
#if LEVEL == 3
  __m128 four = _mm_max_ps(_mm256_castps256_ps128((__m256)values), _mm256_extractf128_ps((__m256)values, 1));
#else
  __m128 four = (__m128)values;
#endif
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
#else
  float highest = values[0];
  for (int lane = 1; lane < LANES; lane++) highest = values[lane] > highest ? values[lane] : highest;
  return highest;
#endif
}

/* One bit for each lane of a mask. */
static inline unsigned NAMED(bits)(vi mask) {
#if LEVEL == 2
  return (unsigned)_mm_movemask_ps((__m128)mask);
#elif LEVEL == 3
  return (unsigned)_mm256_movemask_ps((__m256)mask);
#elif LEVEL >= 4
  return (unsigned)_mm512_movepi32_mask((__m512i)mask);
#else
  unsigned bits = 0;
  for (int lane = 0; lane < LANES; lane++) bits |= (unsigned)(mask[lane] & 1) << lane;
  return bits;
#endif
}

/* exp of numbers up to 0, within 2 units in the last place; 0 below -87, and for NaN. */
static inline vf NAMED(exponential)(vf x) {
  vi known = x >= -87.0f;
  vf safe = EITHER(known, x, ALL(0.0f));
  vf shifted = safe * 1.44269504088896341f + 12582912.0f; /* adding 1.5 * 2^23 rounds to the nearest whole number */
  vf whole = shifted - 12582912.0f;
  vf rest = safe - whole * 0.693359375f + whole * 2.12194440e-4f;
  vf sum = 1.9875691500e-4f * rest + 1.3981999507e-3f;
  sum = sum * rest + 8.3334519073e-3f;
  sum = sum * rest + 4.1665795894e-2f;
  sum = sum * rest + 1.6666665459e-1f;
  sum = sum * rest + 5.0000001201e-1f;
  sum = sum * rest * rest + rest + 1.0f;
  sum = (vf)((vu)sum + ((vu)shifted << 23)); /* the low bits of `shifted` are the whole number: times 2^whole */
  return (vf)((vi)sum & known);
}
