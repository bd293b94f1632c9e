/* Included by prepare.h once for each level. A vector holds 8 pixels of a 16-bit plane at v2 and 16 at v3 and v4, where
   each half of the vector does what the whole of it does at v2. What v4 has of its own is how it gathers and sorts. */

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

#if LEVEL >= 4
INLINE __m512i NAMED(two_halves)(const uint8_t* row, const int32_t* at) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(LOAD(row + at[0])), LOAD(row + at[1]), 1);
}

/* Eight pixels sorted out of their chunks: in each 16 bytes a channel's pairs of neighbours. */
INLINE __m512i NAMED(sorted)(const uint8_t* row, const Across* how, ptrdiff_t group, int reads) {
  const __m512i order = _mm512_load_si512(how->order + group * 64);
  if (reads == WIDE_HALVES) {
    const int32_t* four = how->at + group * 4;
    return _mm512_permutex2var_epi8(NAMED(two_halves)(row, four), order, NAMED(two_halves)(row, four + 2));
  }
  const uint8_t* at = row + how->at[group];
  const __m512i chunk = _mm512_loadu_si512(at);
  if (reads == WIDE_1) return _mm512_permutexvar_epi8(order, chunk);
  __m512i found = _mm512_permutex2var_epi8(chunk, order, _mm512_loadu_si512(at + 64));
  if (reads == WIDE_2) return found;
  return _mm512_mask_permutexvar_epi8(found, _mm512_movepi8_mask(order), order, _mm512_loadu_si512(at + 128));
}

/* Twice eight pixels to a vector for each channel. */
INLINE void NAMED(channels_of)(__m512i low, __m512i high, V* channels) {
  const __m512i third = _mm512_setr_epi64(4, 5, 12, 13, 4, 5, 12, 13);
  V low_half = _mm512_castsi512_si256(low), high_half = _mm512_castsi512_si256(high);
  channels[0] = _mm256_permute2x128_si256(low_half, high_half, 0x20);
  channels[1] = _mm256_permute2x128_si256(low_half, high_half, 0x31);
  channels[2] = _mm512_castsi512_si256(_mm512_permutex2var_epi64(low, third, high));
}
#endif

/* LANES pixels of three channels: each channel's left and right neighbours, as bytes side by side. */
INLINE void NAMED(gather)(const uint8_t* row, const Across* how, ptrdiff_t i, int reads, V* channels) {
#if LEVEL >= 4
  if (reads >= WIDE_1) {
    NAMED(channels_of)(NAMED(sorted)(row, how, i / 8, reads), NAMED(sorted)(row, how, i / 8 + 1, reads), channels);
    return;
  }
#endif
  const int near = reads == NEAR;
  V a = NAMED(neighbours)(row, how, i, 0, near), b = NAMED(neighbours)(row, how, i, 1, near);
  V c = NAMED(neighbours)(row, how, i, 2, near), d = NAMED(neighbours)(row, how, i, 3, near);
  V first = OP(unpacklo_epi32)(a, b), second = OP(unpacklo_epi32)(c, d);
  channels[0] = OP(unpacklo_epi64)(first, second);
  channels[1] = OP(unpackhi_epi64)(first, second);
  channels[2] = OP(unpacklo_epi64)(OP(unpackhi_epi32)(a, b), OP(unpackhi_epi32)(c, d));
}

/* One loop for each way to read, with every weight 0 or not: walk(reads, plain). */
#if LEVEL >= 4
#define EACH_WIDE_WALK(walk) \
  case WIDE_1: EITHER_WALK(walk, WIDE_1) break; \
  case WIDE_2: EITHER_WALK(walk, WIDE_2) break; \
  case WIDE_3: EITHER_WALK(walk, WIDE_3) break; \
  case WIDE_HALVES: EITHER_WALK(walk, WIDE_HALVES) break;
#else
#define EACH_WIDE_WALK(walk)
#endif
#define EITHER_WALK(walk, reads) if (how->plain) walk(reads, 1); else walk(reads, 0);
#define EACH_WALK(walk) \
  switch (how->reads) { \
    EACH_WIDE_WALK(walk) \
    case NEAR: EITHER_WALK(walk, NEAR) break; \
    default: EITHER_WALK(walk, FAR) \
  }

/* Pairs of neighbouring bytes to what lies between them. */
INLINE V NAMED(blend_pairs)(V pairs, V weight, int plain) {
  V left = OP(maddubs_epi16)(pairs, OP(set1_epi16)(UNITS));
  if (plain) return left;
  return OP(add_epi16)(left, OP(mulhrs_epi16)(OP(maddubs_epi16)(pairs, OP(set1_epi16)((short)(0xC000 | UNITS))), weight));
}

INLINE void NAMED(three)(const uint8_t* row, const Across* from, int16_t* out, int reads, int plain) {
  const Across here = *from, *how = &here; /* stores of vectors might change what a pointer points to, but not this */
  for (ptrdiff_t i = 0; i < how->padded; i += LANES) {
    V channels[3], weight = LOAD(how->weight + i);
    NAMED(gather)(row, how, i, reads, channels);
    STORE(out + i, NAMED(blend_pairs)(channels[0], weight, plain));
    STORE(out + i + how->padded, NAMED(blend_pairs)(channels[1], weight, plain));
    STORE(out + i + 2 * how->padded, NAMED(blend_pairs)(channels[2], weight, plain));
  }
}

#endif

static void NAMED(across_three)(const uint8_t* row, const uint8_t* colours, const Across* how, int16_t* out) {
  (void)colours;
#if LEVEL >= 2
#define WALK(reads, plain) NAMED(three)(row, how, out, reads, plain)
  EACH_WALK(WALK)
#undef WALK
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
#undef EACH_WIDE_WALK
#undef EITHER_WALK
#undef EACH_WALK
