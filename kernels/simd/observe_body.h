/* A picture scaled to a quarter, and its gray; included by observe.h for each level. */

#if LEVEL >= 4
#define AT_ONCE 4 /* source rows in a vector, 16 bytes of each */
#define WIDE(name) _mm512_##name
#define WIDE_ALL(value) _mm512_broadcast_i32x4(value)
typedef __m512i NAMED(wide);
#elif LEVEL == 3
#define AT_ONCE 2
#define WIDE(name) _mm256_##name
#define WIDE_ALL(value) _mm256_broadcastsi128_si256(value)
typedef __m256i NAMED(wide);
#elif LEVEL == 2
#define AT_ONCE 1
#define WIDE(name) _mm_##name
#define WIDE_ALL(value) (value)
typedef __m128i NAMED(wide);
#endif

#if LEVEL >= 2
#define EIGHTHS(a, b, c, d) _mm_setr_epi8(a, b, c, d, a, b, c, d, a, b, c, d, 0, 0, 0, 0)

/* Four pixels of each row, from the same byte on, as blue, blue, blue, blue, green, ... */
static inline NAMED(wide) NAMED(four_pixels)(const uint8_t *const *rows, Py_ssize_t byte) {
  const __m128i *first = (const __m128i *)(rows[0] + byte);
#if LEVEL >= 4
  __m512i bytes = _mm512_castsi128_si512(_mm_loadu_si128(first));
  bytes = _mm512_inserti32x4(bytes, _mm_loadu_si128((const __m128i *)(rows[1] + byte)), 1);
  bytes = _mm512_inserti32x4(bytes, _mm_loadu_si128((const __m128i *)(rows[2] + byte)), 2);
  bytes = _mm512_inserti32x4(bytes, _mm_loadu_si128((const __m128i *)(rows[3] + byte)), 3);
#elif LEVEL == 3
  __m256i bytes = _mm256_castsi128_si256(_mm_loadu_si128(first));
  bytes = _mm256_inserti128_si256(bytes, _mm_loadu_si128((const __m128i *)(rows[1] + byte)), 1);
#else
  __m128i bytes = _mm_loadu_si128(first);
#endif
  return WIDE(shuffle_epi8)(bytes, WIDE_ALL(_mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1)));
}

static inline void NAMED(store_rows)(uint8_t *const *out, Py_ssize_t byte, NAMED(wide) bytes) {
#if LEVEL >= 4
  _mm_storeu_si128((__m128i *)(out[0] + byte), _mm512_castsi512_si128(bytes));
  _mm_storeu_si128((__m128i *)(out[1] + byte), _mm512_extracti32x4_epi32(bytes, 1));
  _mm_storeu_si128((__m128i *)(out[2] + byte), _mm512_extracti32x4_epi32(bytes, 2));
  _mm_storeu_si128((__m128i *)(out[3] + byte), _mm512_extracti32x4_epi32(bytes, 3));
#elif LEVEL == 3
  _mm_storeu_si128((__m128i *)(out[0] + byte), _mm256_castsi256_si128(bytes));
  _mm_storeu_si128((__m128i *)(out[1] + byte), _mm256_extracti128_si256(bytes, 1));
#else
  _mm_storeu_si128((__m128i *)(out[0] + byte), bytes);
#endif
}

/* The pairwise sums of two pixels, which end the sum of their four lanes each; then 32nds to whole levels. */
#if LEVEL >= 4
static inline __m512i NAMED(thirty_seconds)(__m512i a, __m512i b) {
  const __m512i ones = _mm512_set1_epi16(1);
  __m512i both = _mm512_packs_epi32(_mm512_madd_epi16(a, ones), _mm512_madd_epi16(b, ones));
  return _mm512_srli_epi16(_mm512_add_epi16(both, _mm512_set1_epi16(16)), 5);
}
#else
static inline NAMED(wide) NAMED(thirty_seconds)(NAMED(wide) a, NAMED(wide) b) {
  return WIDE(srli_epi16)(WIDE(add_epi16)(WIDE(hadd_epi16)(a, b), WIDE(set1_epi16)(16)), 5);
}
#endif

/* Pixel x of a quarter is 1, 3, 5, 7, 7, 5, 3, 1 32nds of eight pixels: four that rise, and four that fall and will
   rise for the next one. Pixels 1..4n of AT_ONCE rows, whose length is at least 4n + 2; out: four bytes a pixel. */
static void NAMED(quarter_across)(const uint8_t *const *rows, uint8_t *const *out, Py_ssize_t fours) {
  const NAMED(wide) rising = WIDE_ALL(EIGHTHS(1, 3, 5, 7)), falling = WIDE_ALL(EIGHTHS(7, 5, 3, 1));
  NAMED(wide) four = NAMED(four_pixels)(rows, 6);
  for (Py_ssize_t x = 0; x < fours; x++) {
    NAMED(wide) sums[4];
    for (int i = 0; i < 4; i++) {
      NAMED(wide) next = NAMED(four_pixels)(rows, 6 + 12 * (4 * x + i + 1));
      sums[i] = WIDE(add_epi16)(WIDE(maddubs_epi16)(four, rising), WIDE(maddubs_epi16)(next, falling));
      four = next;
    }
    NAMED(wide) low = NAMED(thirty_seconds)(sums[0], sums[1]), high = NAMED(thirty_seconds)(sums[2], sums[3]);
    NAMED(store_rows)(out, 4 + 16 * x, WIDE(packus_epi16)(low, high));
  }
}

static inline NAMED(wide) NAMED(load)(const uint8_t *bytes) {
#if LEVEL >= 4
  return _mm512_loadu_si512(bytes);
#elif LEVEL == 3
  return _mm256_loadu_si256((const __m256i *)bytes);
#else
  return _mm_loadu_si128((const __m128i *)bytes);
#endif
}

static inline void NAMED(store)(uint8_t *out, NAMED(wide) bytes) {
#if LEVEL >= 4
  _mm512_storeu_si512(out, bytes);
#elif LEVEL == 3
  _mm256_storeu_si256((__m256i *)out, bytes);
#else
  _mm_storeu_si128((__m128i *)out, bytes);
#endif
}

/* The same downwards, of eight rows. */
static Py_ssize_t NAMED(quarter_down)(const uint8_t *const *rows, uint8_t *out, Py_ssize_t bytes) {
  const NAMED(wide) half = WIDE(set1_epi16)(16);
  NAMED(wide) weights[4];
  Py_ssize_t i = 0;
  for (int pair = 0; pair < 4; pair++) {
    weights[pair] = WIDE(set1_epi16)((short)(pair == 0 ? 0x0301 : pair == 1 ? 0x0705 : pair == 2 ? 0x0507 : 0x0103));
  }
  for (; i + 16 * AT_ONCE <= bytes; i += 16 * AT_ONCE) {
    NAMED(wide) low = half, high = half;
    for (int pair = 0; pair < 4; pair++) {
      NAMED(wide) a = NAMED(load)(rows[2 * pair] + i), b = NAMED(load)(rows[2 * pair + 1] + i);
      low = WIDE(add_epi16)(low, WIDE(maddubs_epi16)(WIDE(unpacklo_epi8)(a, b), weights[pair]));
      high = WIDE(add_epi16)(high, WIDE(maddubs_epi16)(WIDE(unpackhi_epi8)(a, b), weights[pair]));
    }
    NAMED(store)(out + i, WIDE(packus_epi16)(WIDE(srli_epi16)(low, 5), WIDE(srli_epi16)(high, 5)));
  }
  return i;
}
#undef EIGHTHS
#undef AT_ONCE
#undef WIDE
#undef WIDE_ALL
#else
#define AT_ONCE 1
static void NAMED(quarter_across)(const uint8_t *const *rows, uint8_t *const *out, Py_ssize_t fours) {
  (void)rows, (void)out, (void)fours;
}
static Py_ssize_t NAMED(quarter_down)(const uint8_t *const *rows, uint8_t *out, Py_ssize_t bytes) {
  (void)rows, (void)out, (void)bytes;
  return 0;
}
#undef AT_ONCE
#endif

/* Weighted sums of rows of bytes, by weights of 2^22. */
static void NAMED(down)(const uint8_t *const *rows, const int32_t *weights, Py_ssize_t taps, uint8_t *out,
                        int32_t *sums, Py_ssize_t bytes) {
  for (Py_ssize_t i = 0; i < bytes; i++) sums[i] = 1 << 21;
  for (Py_ssize_t tap = 0; tap < taps; tap++) {
    const uint8_t *row = rows[tap];
    int32_t weight = weights[tap];
    for (Py_ssize_t i = 0; i < bytes; i++) sums[i] += row[i] * weight;
  }
  for (Py_ssize_t i = 0; i < bytes; i++) out[i] = (uint8_t)(sums[i] >> 22);
}

/* 0.2989 R + 0.587 G + 0.114 B of doubles, cut to a whole number: worked out in ten-thousandths. Where they make a whole
   number exactly, rounding decides in doubles, and so it does here. */
static void NAMED(luma)(const uint32_t *pixels, uint8_t *gray, Py_ssize_t count) {
  int ties = 0;
  for (Py_ssize_t i = 0; i < count; i++) {
    int32_t blue = pixels[i] & 255, green = pixels[i] >> 8 & 255, red = pixels[i] >> 16 & 255;
    int32_t sum = 2989 * red + 5870 * green + 1140 * blue;
    int32_t whole = (int32_t)(((float)sum + 0.5f) * 1e-4f);
    ties |= (sum == 10000 * whole) & (sum != 0);
    gray[i] = (uint8_t)whole;
  }
  for (Py_ssize_t i = 0; ties && i < count; i++) {
    double blue = pixels[i] & 255, green = pixels[i] >> 8 & 255, red = pixels[i] >> 16 & 255;
    gray[i] = (uint8_t)(0.2989 * red + 0.5870 * green + 0.1140 * blue);
  }
}

/* Pillow's "L". */
static void NAMED(pillow_luma)(const uint32_t *pixels, uint8_t *gray, Py_ssize_t count) {
  for (Py_ssize_t i = 0; i < count; i++) {
    int32_t blue = pixels[i] & 255, green = pixels[i] >> 8 & 255, red = pixels[i] >> 16 & 255;
    gray[i] = (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
  }
}
