/* Included by prepare.h once for each level. A vector holds 8 pixels of a 16-bit plane at v2 and 16 at v3, where each
   half of the vector does what the whole of it does at v2. */

#if LEVEL >= 3
#define V __m256i
#define LANES 16
#define LOAD(p) _mm256_loadu_si256((const V*)(p))
#define STORE(p, v) _mm256_storeu_si256((V*)(p), v)
#define OP(name) _mm256_##name
#define LOGIC(name) _mm256_##name##_si256
#define BOTH(low, high) _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1)
#elif LEVEL == 2
#define V __m128i
#define LANES 8
#define LOAD(p) _mm_loadu_si128((const V*)(p))
#define STORE(p, v) _mm_storeu_si128((V*)(p), v)
#define OP(name) _mm_##name
#define LOGIC(name) _mm_##name##_si128
#endif

#if LEVEL >= 2
#define INLINE static inline __attribute__((always_inline))

/* 8 bytes each of two pixels. */
INLINE __m128i NAMED(pair)(const uint8_t* row, const int32_t* offset) {
  __m128i low = _mm_loadl_epi64((const __m128i*)(row + offset[0]));
  return _mm_castps_si128(_mm_loadh_pi(_mm_castsi128_ps(low), (const __m64*)(row + offset[1])));
}

/* Two pixels (and at v3 two more, 8 further on) as pairs of neighbours, one dword a channel. */
INLINE V NAMED(neighbours)(const uint8_t* row, const Across* how, ptrdiff_t i, int k, int near) {
  const uint8_t* mask = how->mask + (i & ~(ptrdiff_t)15) * 8 + k * 32;
#if LEVEL >= 3
  const int32_t* at = near ? how->offset + i / 2 + k : how->offset + i + 2 * k;
  __m128i low = near ? _mm_loadu_si128((const __m128i*)(row + at[0])) : NAMED(pair)(row, at);
  __m128i high = near ? _mm_loadu_si128((const __m128i*)(row + at[4])) : NAMED(pair)(row, at + 8);
  return _mm256_shuffle_epi8(BOTH(low, high), LOAD(mask));
#else
  const int32_t* at = near ? how->offset + i / 2 + k : how->offset + i + 2 * k;
  __m128i both = near ? _mm_loadu_si128((const __m128i*)(row + at[0])) : NAMED(pair)(row, at);
  return _mm_shuffle_epi8(both, LOAD(mask + (i & 8) * 2));
#endif
}

/* LANES pixels of three channels: each channel's left and right neighbours, as bytes side by side. */
INLINE void NAMED(gather)(const uint8_t* row, const Across* how, ptrdiff_t i, int near, V* channels) {
  V a = NAMED(neighbours)(row, how, i, 0, near), b = NAMED(neighbours)(row, how, i, 1, near);
  V c = NAMED(neighbours)(row, how, i, 2, near), d = NAMED(neighbours)(row, how, i, 3, near);
  V first = OP(unpacklo_epi32)(a, b), second = OP(unpacklo_epi32)(c, d);
  channels[0] = OP(unpacklo_epi64)(first, second);
  channels[1] = OP(unpackhi_epi64)(first, second);
  channels[2] = OP(unpacklo_epi64)(OP(unpackhi_epi32)(a, b), OP(unpackhi_epi32)(c, d));
}

/* Pairs of neighbouring bytes to what lies between them. */
INLINE V NAMED(blend_pairs)(V pairs, V weight, int plain) {
  V left = OP(maddubs_epi16)(pairs, OP(set1_epi16)(UNITS));
  if (plain) return left;
  return OP(add_epi16)(left, OP(mulhrs_epi16)(OP(maddubs_epi16)(pairs, OP(set1_epi16)((short)(0xC000 | UNITS))), weight));
}

INLINE void NAMED(three)(const uint8_t* row, const Across* from, int16_t* out, int near, int plain) {
  const Across here = *from, *how = &here; /* stores of vectors might change what a pointer points to, but not this */
  for (ptrdiff_t i = 0; i < how->padded; i += LANES) {
    V channels[3], weight = LOAD(how->weight + i);
    NAMED(gather)(row, how, i, near, channels);
    STORE(out + i, NAMED(blend_pairs)(channels[0], weight, plain));
    STORE(out + i + how->padded, NAMED(blend_pairs)(channels[1], weight, plain));
    STORE(out + i + 2 * how->padded, NAMED(blend_pairs)(channels[2], weight, plain));
  }
}

#endif

static void NAMED(across_three)(const uint8_t* row, const uint8_t* colours, const Across* how, int16_t* out) {
  (void)colours;
#if LEVEL >= 2
  if (how->near && how->plain) NAMED(three)(row, how, out, 1, 1);
  else if (how->near) NAMED(three)(row, how, out, 1, 0);
  else if (how->plain) NAMED(three)(row, how, out, 0, 1);
  else NAMED(three)(row, how, out, 0, 0);
#else
  for (ptrdiff_t i = 0; i < how->padded; i++) {
    const uint8_t* left = row + (ptrdiff_t)how->first[i] * 3;
    const uint8_t* right = left + how->step * 3;
    for (int c = 0; c < 3; c++) out[i + c * how->padded] = between(left[c] * UNITS, right[c] * UNITS, how->weight[i]);
  }
#endif
}

#include "camera_body.h"

static void NAMED(across_one)(const uint8_t* row, const uint8_t* colours, const Across* how, int16_t* out) {
  (void)colours;
#if LEVEL >= 2
  for (ptrdiff_t i = 0; i < how->padded; i += LANES)
    STORE(out + i, NAMED(blend_pairs)(NAMED(pairs_at)(row, how->offset + i), LOAD(how->weight + i), 0));
#else
  for (ptrdiff_t i = 0; i < how->padded; i++) {
    const uint8_t* left = row + how->first[i];
    out[i] = between(left[0] * UNITS, left[how->step] * UNITS, how->weight[i]);
  }
#endif
}

/* Three planes to one gray one; luma in 1/32768, which are 32768 together. */
static void NAMED(luma_row)(const int16_t* rows, const int16_t* luma, int16_t* out, ptrdiff_t padded) {
  for (ptrdiff_t i = 0; i < padded; i++) {
    int32_t sum = rows[i] * luma[0] + rows[padded + i] * luma[1] + rows[2 * padded + i] * luma[2];
    out[i] = (int16_t)((sum + 0x4000) >> 15);
  }
}

#include "blend_body.h"

#undef INLINE
#undef V
#undef LANES
#undef LOAD
#undef STORE
#undef OP
#undef BOTH
#undef LOGIC
#undef BLENDED
#undef WIDE
#undef FLOATS
#undef STEP_OF
#undef NUMBERS
