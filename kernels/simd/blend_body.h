/* Rows of the tensor: of bytes that are not scaled, of two rows between, or straight of two source rows; included by
   prepare_body.h. */

/* Pixels of three bytes straight into three planes of bytes. */
static void NAMED(split_row)(const uint8_t* row, uint8_t* first, uint8_t* second, uint8_t* third, ptrdiff_t length) {
  ptrdiff_t i = 0;
#if LEVEL >= 4
#define EVERY_THIRD(k) 3 * (k), 3 * (k) + 3, 3 * (k) + 6, 3 * (k) + 9, 3 * (k) + 12, 3 * (k) + 15, 3 * (k) + 18, 3 * (k) + 21
  static const uint8_t thirds[64] = {EVERY_THIRD(0),  EVERY_THIRD(8),  EVERY_THIRD(16), EVERY_THIRD(24),
                                     EVERY_THIRD(32), EVERY_THIRD(40), EVERY_THIRD(48), EVERY_THIRD(56)};
#undef EVERY_THIRD
  uint8_t* planes[3] = {first, second, third};
  __m512i order[3];
  __mmask64 of_last[3];
  for (int c = 0; c < 3; c++) {
    order[c] = _mm512_add_epi8(_mm512_loadu_si512(thirds), _mm512_set1_epi8((char)c));
    of_last[c] = _mm512_movepi8_mask(order[c]); /* 128 and more: of the last 64 bytes of 192 */
  }
  for (; i + 64 <= length; i += 64) {
    const uint8_t* at = row + 3 * i;
    __m512i a = _mm512_loadu_si512(at), b = _mm512_loadu_si512(at + 64), last = _mm512_loadu_si512(at + 128);
    for (int c = 0; c < 3; c++) {
      __m512i found = _mm512_permutex2var_epi8(a, order[c], b);
      _mm512_storeu_si512(planes[c] + i, _mm512_mask_permutexvar_epi8(found, of_last[c], order[c], last));
    }
  }
#endif
#if LEVEL >= 2
#if LEVEL >= 3
#define SORT(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))
#define PIECE(at, k) BOTH(_mm_loadu_si128((const __m128i*)(at) + k), _mm_loadu_si128((const __m128i*)(at) + k + 3))
#else
#define SORT(...) _mm_setr_epi8(__VA_ARGS__)
#define PIECE(at, k) LOAD((at) + 16 * k)
#endif
#define SORTED(x, y, z) LOGIC(or)(LOGIC(or)(OP(shuffle_epi8)(a, x), OP(shuffle_epi8)(b, y)), OP(shuffle_epi8)(c, z))
  const V ones = SORT(0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const V more = SORT(-1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14, -1, -1, -1, -1, -1);
  const V last = SORT(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 4, 7, 10, 13);
  const V ones_2 = SORT(1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const V more_2 = SORT(-1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1);
  const V last_2 = SORT(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14);
  const V ones_3 = SORT(2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const V more_3 = SORT(-1, -1, -1, -1, -1, 1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1);
  const V last_3 = SORT(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15);
  for (; i + 2 * LANES <= length; i += 2 * LANES) {
    const uint8_t* at = row + 3 * i;
    V a = PIECE(at, 0), b = PIECE(at, 1), c = PIECE(at, 2);
    STORE(first + i, SORTED(ones, more, last));
    STORE(second + i, SORTED(ones_2, more_2, last_2));
    STORE(third + i, SORTED(ones_3, more_3, last_3));
  }
#undef SORT
#undef PIECE
#undef SORTED
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

#if LEVEL >= 2
/* LANES values to bytes. */
INLINE void NAMED(store_bytes)(V values, uint8_t* out) {
  V bytes = OP(srai_epi16)(OP(add_epi16)(values, OP(set1_epi16)(UNITS / 2)), 6);
#if LEVEL >= 3
  __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
  _mm_storeu_si128((__m128i*)out, _mm_packus_epi16(low, high));
#else
  _mm_storel_epi64((__m128i*)out, _mm_packus_epi16(bytes, bytes));
#endif
}

INLINE void NAMED(store_floats)(V values, const Numbers* numbers, float* out) {
  NAMED(Floats) multiply = OP(set1_ps)(numbers->multiply), add = OP(set1_ps)(numbers->add);
  OP(storeu_ps)(out, OP(add_ps)(OP(mul_ps)(STEP_OF(values, 0), multiply), add));
  OP(storeu_ps)(out + WIDE, OP(add_ps)(OP(mul_ps)(STEP_OF(values, 1), multiply), add));
}

/* LANES pixels from pixel i on, to where each channel begins. */
INLINE void NAMED(fused_at)(const uint8_t* upper, const uint8_t* lower, const Across* how, ptrdiff_t i, V down,
                            const Numbers* numbers, uint8_t* first, uint8_t* second, uint8_t* third, int reads, int plain,
                            int floats) {
  V above[3], below[3], across = LOAD(how->weight + i);
  uint8_t* rows[3] = {first, second, third};
  NAMED(gather)(upper, how, i, reads, above);
  NAMED(gather)(lower, how, i, reads, below);
  for (int c = 0; c < 3; c++) {
    V value = NAMED(blend_pairs)(above[c], across, plain), other = NAMED(blend_pairs)(below[c], across, plain);
    value = OP(add_epi16)(value, OP(mulhrs_epi16)(OP(sub_epi16)(value, other), down));
    if (floats) NAMED(store_floats)(value, numbers + c, (float*)rows[c]);
    else NAMED(store_bytes)(value, rows[c]);
  }
}

INLINE void NAMED(fused)(const uint8_t* upper, const uint8_t* lower, const Across* from, int weight, const Planes* to,
                         int reads, int plain, int floats) {
  const Across here = *from, *how = &here;
  const Numbers numbers[3] = {to->numbers[0], to->numbers[1], to->numbers[2]};
  const ptrdiff_t length = to->length, size = floats ? 4 : 1;
  const V down = OP(set1_epi16)((short)weight);
  uint8_t *first = to->rows[0], *second = to->rows[1], *third = to->rows[2], rest[3][4 * LANES];
  ptrdiff_t i = 0;
  for (; i + LANES <= length; i += LANES)
    NAMED(fused_at)(upper, lower, how, i, down, numbers, first + i * size, second + i * size, third + i * size, reads, plain,
                    floats);
  if (i == length) return;
  NAMED(fused_at)(upper, lower, how, i, down, numbers, rest[0], rest[1], rest[2], reads, plain, floats);
  memcpy(first + i * size, rest[0], (length - i) * size);
  memcpy(second + i * size, rest[1], (length - i) * size);
  memcpy(third + i * size, rest[2], (length - i) * size);
}
#endif

/* Two source rows across and blended at once, to bytes or floats. */
static void NAMED(fused_rows)(const uint8_t* upper, const uint8_t* lower, const Across* how, int weight, const Planes* to) {
#if LEVEL >= 2
#define WALK_BYTES(reads, plain) NAMED(fused)(upper, lower, how, weight, to, reads, plain, 0)
#define WALK_FLOATS(reads, plain) NAMED(fused)(upper, lower, how, weight, to, reads, plain, 1)
  if (to->floats) EACH_WALK(WALK_FLOATS)
  else EACH_WALK(WALK_BYTES)
#undef WALK_BYTES
#undef WALK_FLOATS
#else
  (void)upper, (void)lower, (void)how, (void)weight, (void)to; /* not called */
#endif
#ifdef PLANTED_OVERRUN /* a fault on purpose, in a build of its own */
  for (int c = 0; c < 3 && !to->floats; c++) to->rows[c][to->length] = 0;
#endif
}

/* A row of bytes to floats; `numbers` are for units, of which a byte is so many. */
static void NAMED(byte_floats)(const uint8_t* row, const Numbers* numbers, float* out, ptrdiff_t length) {
  const float by = numbers->multiply * UNITS, plus = numbers->add;
  ptrdiff_t i = 0;
#if LEVEL >= 2
  const NAMED(Floats) multiply = OP(set1_ps)(by), add = OP(set1_ps)(plus);
  for (; i + 16 <= length; i += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i*)(row + i));
#if LEVEL >= 3
    __m256 low = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
    __m256 high = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_unpackhi_epi64(bytes, bytes)));
    _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_mul_ps(low, multiply), add));
    _mm256_storeu_ps(out + i + 8, _mm256_add_ps(_mm256_mul_ps(high, multiply), add));
#else
    const __m128i zero = _mm_setzero_si128();
    __m128i low = _mm_unpacklo_epi8(bytes, zero), high = _mm_unpackhi_epi8(bytes, zero);
    __m128i four[4] = {_mm_unpacklo_epi16(low, zero), _mm_unpackhi_epi16(low, zero), _mm_unpacklo_epi16(high, zero),
                       _mm_unpackhi_epi16(high, zero)};
    for (int k = 0; k < 4; k++)
      _mm_storeu_ps(out + i + 4 * k, _mm_add_ps(_mm_mul_ps(_mm_cvtepi32_ps(four[k]), multiply), add));
#endif
  }
#endif
  for (; i < length; i++) out[i] = (float)row[i] * by + plus;
}

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
#if LEVEL < 2
  if (period == 1) { /* alone, so that the compiler makes vectors of it */
    const float by = numbers->multiply, plus = numbers->add;
    for (; i < length; i++) out[i] = between(upper[i], lower[i], weight) * by + plus;
  }
#endif
  for (int k = (int)(i % period); i < length; i++, k = k + 1 < period ? k + 1 : 0)
    out[i] = between(upper[i], lower[i], weight) * numbers[k].multiply + numbers[k].add;
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
