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

/* Y from 0 on, U and V round 0, as 16-bit numbers, to blue, green and red that are not clamped yet. */
INLINE void NAMED(colors)(V y, V u, V v, V* out) {
#define FACTORS(a, b) OP(set1_epi32)((int)(((uint32_t)(uint16_t)(b) << 16) | (uint16_t)(a)))
#define TIMES(value, factor) OP(mullo_epi16)(value, OP(set1_epi16)(factor))
#define LOW(sum) OP(add_epi16)(OP(srai_epi16)(sum, 7), OP(set1_epi16)(HALF))
#define SUM(two, factors, more) OP(srai_epi32)(OP(add_epi32)(OP(madd_epi16)(two, factors), more), HIGH_SHIFT)
  V zero = OP(set1_epi16)(0), bright = TIMES(y, LUMA_LOW);
  V yu = OP(unpacklo_epi16)(y, u), yu_high = OP(unpackhi_epi16)(y, u);
  V yv = OP(unpacklo_epi16)(y, v), yv_high = OP(unpackhi_epi16)(y, v);
  V blue = LOW(OP(add_epi16)(bright, TIMES(u, BLUE_U_LOW))), red = LOW(OP(add_epi16)(bright, TIMES(v, RED_V_LOW)));
  V green = LOW(OP(add_epi16)(bright, OP(add_epi16)(TIMES(u, GREEN_U_LOW), TIMES(v, GREEN_V_LOW))));
  V of_blue = FACTORS(LUMA_HIGH, BLUE_U_HIGH), of_red = FACTORS(LUMA_HIGH, RED_V_HIGH);
  V of_green = FACTORS(LUMA_HIGH, GREEN_U_HIGH), of_rest = FACTORS(GREEN_V_HIGH, 1);
  out[0] = OP(packs_epi32)(SUM(yu, of_blue, OP(unpacklo_epi16)(blue, zero)),
                           SUM(yu_high, of_blue, OP(unpackhi_epi16)(blue, zero)));
  out[1] = OP(packs_epi32)(SUM(yu, of_green, OP(madd_epi16)(OP(unpacklo_epi16)(v, green), of_rest)),
                           SUM(yu_high, of_green, OP(madd_epi16)(OP(unpackhi_epi16)(v, green), of_rest)));
  out[2] = OP(packs_epi32)(SUM(yv, of_red, OP(unpacklo_epi16)(red, zero)),
                           SUM(yv_high, of_red, OP(unpackhi_epi16)(red, zero)));
#undef FACTORS
#undef TIMES
#undef LOW
#undef SUM
}

/* Pairs of neighbours of Y, U and V to the colours between them: converted, then blended as any others are. */
INLINE void NAMED(store_colors)(V* yuv, V weight, int16_t* out, ptrdiff_t padded, int plain) {
  V middle = OP(set1_epi16)(128), zero = OP(set1_epi16)(0), low[3], high[3];
  V y = OP(subs_epu8)(yuv[0], OP(set1_epi8)(16));
  if (plain) { /* the left neighbours alone */
    V byte = OP(set1_epi16)(255);
    NAMED(colors)(LOGIC(and)(y, byte), OP(sub_epi16)(LOGIC(and)(yuv[1], byte), middle),
                  OP(sub_epi16)(LOGIC(and)(yuv[2], byte), middle), low);
    for (int c = 0; c < 3; c++) {
      V clamped = OP(max_epi16)(zero, OP(min_epi16)(low[c], byte));
      STORE(out + c * padded, OP(slli_epi16)(clamped, 6));
    }
    return;
  }
  NAMED(colors)(OP(unpacklo_epi8)(y, zero), OP(sub_epi16)(OP(unpacklo_epi8)(yuv[1], zero), middle),
                OP(sub_epi16)(OP(unpacklo_epi8)(yuv[2], zero), middle), low);
  NAMED(colors)(OP(unpackhi_epi8)(y, zero), OP(sub_epi16)(OP(unpackhi_epi8)(yuv[1], zero), middle),
                OP(sub_epi16)(OP(unpackhi_epi8)(yuv[2], zero), middle), high);
  for (int c = 0; c < 3; c++)
    STORE(out + c * padded, NAMED(blend_pairs)(OP(packus_epi16)(low[c], high[c]), weight, 0));
}

INLINE void NAMED(yuyv)(const uint8_t* row, const Across* from, int16_t* out, int near, int plain) {
  const Across here = *from, *how = &here; /* stores of vectors might change what a pointer points to, but not this */
  for (ptrdiff_t i = 0; i < how->padded; i += LANES) {
    V yuv[3];
    NAMED(gather)(row, how, i, near, yuv);
    NAMED(store_colors)(yuv, LOAD(how->weight + i), out + i, how->padded, plain);
  }
}

INLINE uint32_t NAMED(word)(const uint8_t* at) {
  uint16_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

INLINE int NAMED(dword)(const uint8_t* at) {
  int dword;
  memcpy(&dword, at, sizeof dword);
  return dword;
}

/* Two neighbouring bytes each of 8 pixels. */
INLINE __m128i NAMED(words)(const uint8_t* row, const int32_t* offset) {
  __m128i all = _mm_cvtsi32_si128((int)NAMED(word)(row + offset[0]));
  all = _mm_insert_epi16(all, (int)NAMED(word)(row + offset[1]), 1);
  all = _mm_insert_epi16(all, (int)NAMED(word)(row + offset[2]), 2);
  all = _mm_insert_epi16(all, (int)NAMED(word)(row + offset[3]), 3);
  all = _mm_insert_epi16(all, (int)NAMED(word)(row + offset[4]), 4);
  all = _mm_insert_epi16(all, (int)NAMED(word)(row + offset[5]), 5);
  all = _mm_insert_epi16(all, (int)NAMED(word)(row + offset[6]), 6);
  return _mm_insert_epi16(all, (int)NAMED(word)(row + offset[7]), 7);
}

/* U, V, U, V of two neighbours of 4 pixels, sorted into four pairs of U and four of V. */
INLINE __m128i NAMED(dwords)(const uint8_t* row, const int32_t* offset, const uint8_t* mask) {
  __m128i all = _mm_cvtsi32_si128(NAMED(dword)(row + offset[0]));
  all = _mm_insert_epi32(all, NAMED(dword)(row + offset[1]), 1);
  all = _mm_insert_epi32(all, NAMED(dword)(row + offset[2]), 2);
  all = _mm_insert_epi32(all, NAMED(dword)(row + offset[3]), 3);
  return _mm_shuffle_epi8(all, _mm_loadu_si128((const __m128i*)mask));
}

INLINE V NAMED(pairs_at)(const uint8_t* row, const int32_t* offset) {
#if LEVEL >= 3
  return BOTH(NAMED(words)(row, offset), NAMED(words)(row, offset + 8));
#else
  return NAMED(words)(row, offset);
#endif
}

INLINE V NAMED(colours_at)(const uint8_t* row, const int32_t* offset, const uint8_t* mask) {
#if LEVEL >= 3
  return BOTH(NAMED(dwords)(row, offset, mask), NAMED(dwords)(row, offset + 8, mask + 32));
#else
  return NAMED(dwords)(row, offset, mask);
#endif
}

INLINE void NAMED(nv12)(const uint8_t* row, const uint8_t* colours, const Across* from, int16_t* out, int plain) {
  const Across here = *from, *how = &here;
  for (ptrdiff_t i = 0; i < how->padded; i += LANES) {
    V four = NAMED(colours_at)(colours, how->beside + i, how->mask + i * 4);
    V more = NAMED(colours_at)(colours, how->beside + i + 4, how->mask + i * 4 + 16);
    V yuv[3] = {NAMED(pairs_at)(row, how->offset + i), OP(unpacklo_epi64)(four, more), OP(unpackhi_epi64)(four, more)};
    NAMED(store_colors)(yuv, LOAD(how->weight + i), out + i, how->padded, plain);
  }
}

#undef INLINE
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

static void NAMED(across_yuyv)(const uint8_t* row, const uint8_t* colours, const Across* how, int16_t* out) {
  (void)colours;
#if LEVEL >= 2
  if (how->near && how->plain) NAMED(yuyv)(row, how, out, 1, 1);
  else if (how->near) NAMED(yuyv)(row, how, out, 1, 0);
  else if (how->plain) NAMED(yuyv)(row, how, out, 0, 1);
  else NAMED(yuyv)(row, how, out, 0, 0);
#else
  for (ptrdiff_t i = 0; i < how->padded; i++) {
    int left[3], right[3];
    ptrdiff_t x = how->first[i], next = x + how->step;
    color_of(row[2 * x], row[(x & ~(ptrdiff_t)1) * 2 + 1], row[(x & ~(ptrdiff_t)1) * 2 + 3], left);
    color_of(row[2 * next], row[(next & ~(ptrdiff_t)1) * 2 + 1], row[(next & ~(ptrdiff_t)1) * 2 + 3], right);
    for (int c = 0; c < 3; c++) out[i + c * how->padded] = between(left[c], right[c], how->weight[i]);
  }
#endif
}

static void NAMED(across_nv12)(const uint8_t* row, const uint8_t* colours, const Across* how, int16_t* out) {
#if LEVEL >= 2
  if (how->plain) NAMED(nv12)(row, colours, how, out, 1);
  else NAMED(nv12)(row, colours, how, out, 0);
#else
  for (ptrdiff_t i = 0; i < how->padded; i++) {
    int left[3], right[3];
    ptrdiff_t x = how->first[i], next = x + how->step;
    color_of(row[x], colours[x & ~(ptrdiff_t)1], colours[x | 1], left);
    color_of(row[next], colours[next & ~(ptrdiff_t)1], colours[next | 1], right);
    for (int c = 0; c < 3; c++) out[i + c * how->padded] = between(left[c], right[c], how->weight[i]);
  }
#endif
}

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

/* Pixels of three bytes straight into three planes of bytes. */
static void NAMED(split_row)(const uint8_t* row, uint8_t* first, uint8_t* second, uint8_t* third, ptrdiff_t length) {
  ptrdiff_t i = 0;
#if LEVEL >= 2
  const __m128i ones = _mm_setr_epi8(0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i more = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14, -1, -1, -1, -1, -1);
  const __m128i last = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 4, 7, 10, 13);
  const __m128i ones_2 = _mm_setr_epi8(1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i more_2 = _mm_setr_epi8(-1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1);
  const __m128i last_2 = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14);
  const __m128i ones_3 = _mm_setr_epi8(2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i more_3 = _mm_setr_epi8(-1, -1, -1, -1, -1, 1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1);
  const __m128i last_3 = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15);
  for (; i + 16 <= length; i += 16) {
    const __m128i* at = (const __m128i*)(row + 3 * i);
    __m128i a = _mm_loadu_si128(at), b = _mm_loadu_si128(at + 1), c = _mm_loadu_si128(at + 2);
#define SORTED(x, y, z) \
  _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(a, x), _mm_shuffle_epi8(b, y)), _mm_shuffle_epi8(c, z))
    _mm_storeu_si128((__m128i*)(first + i), SORTED(ones, more, last));
    _mm_storeu_si128((__m128i*)(second + i), SORTED(ones_2, more_2, last_2));
    _mm_storeu_si128((__m128i*)(third + i), SORTED(ones_3, more_3, last_3));
#undef SORTED
  }
#endif
  for (; i < length; i++) first[i] = row[3 * i], second[i] = row[3 * i + 1], third[i] = row[3 * i + 2];
}

#if LEVEL >= 2
#define BLENDED(i) NAMED(blended)(upper + (i), lower + (i), down)
static inline __attribute__((always_inline)) V NAMED(blended)(const int16_t* upper, const int16_t* lower, V down) {
  V above = LOAD(upper);
  return OP(add_epi16)(above, OP(mulhrs_epi16)(OP(sub_epi16)(above, LOAD(lower)), down));
}
#endif

static void NAMED(blend_bytes)(const int16_t* upper, const int16_t* lower, int weight, uint8_t* out, ptrdiff_t length) {
  ptrdiff_t i = 0;
#if LEVEL >= 2
  V half = OP(set1_epi16)(UNITS / 2), down = OP(set1_epi16)((short)weight);
  for (; i + 2 * LANES <= length; i += 2 * LANES) {
    V low = OP(srai_epi16)(OP(add_epi16)(BLENDED(i), half), 6);
    V high = OP(srai_epi16)(OP(add_epi16)(BLENDED(i + LANES), half), 6);
#if LEVEL >= 3
    STORE(out + i, _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xD8));
#else
    STORE(out + i, _mm_packus_epi16(low, high));
#endif
  }
#endif
  for (; i < length; i++) out[i] = (uint8_t)((between(upper[i], lower[i], weight) + UNITS / 2) >> 6);
#ifdef PLANTED_OVERRUN /* a fault on purpose, in a build of its own */
  out[length] = 0;
#endif
}

#if LEVEL >= 3
typedef __m256 NAMED(Floats);
#define WIDE 8
#define FLOATS(v) _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(v))
#define STEP_OF(v, part) FLOATS(part ? _mm256_extracti128_si256(v, 1) : _mm256_castsi256_si128(v))
#elif LEVEL == 2
typedef __m128 NAMED(Floats);
#define WIDE 4
#define STEP_OF(v, part) _mm_cvtepi32_ps(_mm_cvtepi16_epi32(part ? _mm_unpackhi_epi64(v, v) : v))
#endif

#if LEVEL >= 2
/* numbers: `period` of them, and so many more that every vector of them begins at one; period 1 has one vector. */
#define NUMBERS(values, at) OP(loadu_ps)(&(values)[at])
#endif

/* numbers: one for each of `period` values in turn, 1 (a plane) or 3 (interleaved). */
static void NAMED(blend_floats)(const int16_t* upper, const int16_t* lower, int weight, const Numbers* numbers,
                                int period, float* out, ptrdiff_t length) {
  ptrdiff_t i = 0;
#if LEVEL >= 2
  V down = OP(set1_epi16)((short)weight);
  if (period == 1) {
    NAMED(Floats) multiply = OP(set1_ps)(numbers->multiply), add = OP(set1_ps)(numbers->add);
    for (; i + LANES <= length; i += LANES) {
      V values = BLENDED(i);
      OP(storeu_ps)(out + i, OP(add_ps)(OP(mul_ps)(STEP_OF(values, 0), multiply), add));
      OP(storeu_ps)(out + i + WIDE, OP(add_ps)(OP(mul_ps)(STEP_OF(values, 1), multiply), add));
    }
  } else {
    float multiply[3 * WIDE], add[3 * WIDE];
    for (int k = 0; k < 3 * WIDE; k++) multiply[k] = numbers[k % 3].multiply, add[k] = numbers[k % 3].add;
    for (; i + 3 * LANES <= length; i += 3 * LANES)
      for (int k = 0; k < 3; k++) {
        V values = BLENDED(i + k * LANES);
        int at = 2 * k % 3 * WIDE, then = (2 * k + 1) % 3 * WIDE;
        float* to = out + i + k * LANES;
        OP(storeu_ps)(to, OP(add_ps)(OP(mul_ps)(STEP_OF(values, 0), NUMBERS(multiply, at)), NUMBERS(add, at)));
        OP(storeu_ps)(to + WIDE, OP(add_ps)(OP(mul_ps)(STEP_OF(values, 1), NUMBERS(multiply, then)), NUMBERS(add, then)));
      }
  }
#endif
  for (; i < length; i++)
    out[i] = between(upper[i], lower[i], weight) * numbers[i % period].multiply + numbers[i % period].add;
}

/* The same, a piece at a time by way of floats. */
static void NAMED(blend_halves)(const int16_t* upper, const int16_t* lower, int weight, const Numbers* numbers,
                                int period, uint16_t* out, ptrdiff_t length) {
  float piece[96]; /* a multiple of three and of every vector */
  for (ptrdiff_t i = 0; i < length; i += 96) {
    ptrdiff_t left = length - i < 96 ? length - i : 96, k = 0;
    NAMED(blend_floats)(upper + i, lower + i, weight, numbers, period, piece, left);
#if LEVEL >= 3
    for (; k + 8 <= left; k += 8)
      _mm_storeu_si128((__m128i*)(out + i + k), _mm256_cvtps_ph(_mm256_loadu_ps(piece + k), _MM_FROUND_TO_NEAREST_INT));
#endif
    for (; k < left; k++) out[i + k] = half_from_float(piece[k]);
  }
}

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
