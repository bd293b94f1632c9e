/* Rows of a camera's formats, of which only the pixels that are needed become colours; included by prepare_body.h. */

#if LEVEL >= 2
/* Y from 0 on, U and V round 0, as 16-bit numbers, to blue, green and red from 0 on, which may be above 255. A number
   stands beside 128 times itself, so that one addition of two products is its product by a factor of 22 bits. */
INLINE void NAMED(colors)(V y, V u, V v, V* out) {
#define BOTH_PARTS(name) (int)((uint32_t)(name##_LOW) << 16 | (uint16_t)(name##_HIGH))
#define TIMES(name, pairs) OP(madd_epi16)(pairs, OP(set1_epi32)(BOTH_PARTS(name)))
#define SUM(a, b) OP(add_epi32)(a, b)
#define LEVELS(sum) OP(srai_epi32)(sum, HIGH_SHIFT + 7)
  V half = OP(set1_epi32)(HALF * 128);
  V y_128 = OP(slli_epi16)(y, 7), u_128 = OP(slli_epi16)(u, 7), v_128 = OP(slli_epi16)(v, 7);
  V levels[2][3];
  for (int part = 0; part < 2; part++) {
    V of_y = part ? OP(unpackhi_epi16)(y_128, y) : OP(unpacklo_epi16)(y_128, y);
    V of_u = part ? OP(unpackhi_epi16)(u_128, u) : OP(unpacklo_epi16)(u_128, u);
    V of_v = part ? OP(unpackhi_epi16)(v_128, v) : OP(unpacklo_epi16)(v_128, v);
    V bright = SUM(TIMES(LUMA, of_y), half);
    levels[part][0] = LEVELS(SUM(bright, TIMES(BLUE_U, of_u)));
    levels[part][1] = LEVELS(SUM(bright, SUM(TIMES(GREEN_U, of_u), TIMES(GREEN_V, of_v))));
    levels[part][2] = LEVELS(SUM(bright, TIMES(RED_V, of_v)));
  }
  for (int c = 0; c < 3; c++) out[c] = OP(packus_epi32)(levels[0][c], levels[1][c]);
#undef BOTH_PARTS
#undef TIMES
#undef SUM
#undef LEVELS
}

/* Pairs of neighbours of Y, U and V to the colours between them: converted, then blended as any others are. */
INLINE void NAMED(store_colors)(V* yuv, V weight, int16_t* out, ptrdiff_t padded, int plain) {
  V middle = OP(set1_epi16)(128), zero = OP(set1_epi16)(0), low[3], high[3];
  V y = OP(subs_epu8)(yuv[0], OP(set1_epi8)(16));
  if (plain) { /* the left neighbours alone, which need no more than that to be numbers of 16 bits */
    V byte = OP(set1_epi16)(255);
    NAMED(colors)(y, OP(sub_epi16)(yuv[1], middle), OP(sub_epi16)(yuv[2], middle), low);
    for (int c = 0; c < 3; c++) {
      STORE(out + c * padded, OP(slli_epi16)(OP(min_epi16)(low[c], byte), 6));
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

/* Chunks hold right neighbours too, which `plain` has no use for. */
INLINE void NAMED(left_alone)(V* yuv) {
  for (int c = 0; c < 3; c++) yuv[c] = LOGIC(and)(yuv[c], OP(set1_epi16)(255));
}

INLINE void NAMED(yuyv)(const uint8_t* row, const Across* from, int16_t* out, int reads, int plain) {
  const Across here = *from, *how = &here; /* stores of vectors might change what a pointer points to, but not this */
  for (ptrdiff_t i = 0; i < how->padded; i += LANES) {
    V yuv[3];
    NAMED(gather)(row, how, i, reads, yuv);
    if (plain && reads >= WIDE_1) NAMED(left_alone)(yuv);
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

/* 16 bytes that hold four pixels (and at v3 the four 8 further on), sorted. */
INLINE V NAMED(sorted_four)(const uint8_t* row, const int32_t* offset, const uint8_t* mask) {
#if LEVEL >= 3
  __m128i low = _mm_loadu_si128((const __m128i*)(row + offset[0]));
  return _mm256_shuffle_epi8(BOTH(low, _mm_loadu_si128((const __m128i*)(row + offset[2]))), LOAD(mask));
#else
  return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i*)(row + offset[0])), LOAD(mask));
#endif
}

#if LEVEL >= 4
/* Eight pixels out of a chunk of each plane. */
INLINE __m512i NAMED(sorted_planes)(const uint8_t* row, const uint8_t* colours, const Across* how, ptrdiff_t group) {
  const __m512i order = _mm512_load_si512(how->order + group * 64), luma = _mm512_loadu_si512(row + how->at[group]);
  return _mm512_permutex2var_epi8(luma, order, _mm512_loadu_si512(colours + how->at_beside[group]));
}
#endif

INLINE void NAMED(nv12)(const uint8_t* row, const uint8_t* colours, const Across* from, int16_t* out, int reads, int plain) {
  const Across here = *from, *how = &here;
  for (ptrdiff_t i = 0; i < how->padded; i += LANES) {
    V four, more, yuv[3];
#if LEVEL >= 4
    if (reads >= WIDE_1) {
      NAMED(channels_of)(NAMED(sorted_planes)(row, colours, how, i / 8), NAMED(sorted_planes)(row, colours, how, i / 8 + 1),
                         yuv);
      if (plain) NAMED(left_alone)(yuv);
      NAMED(store_colors)(yuv, LOAD(how->weight + i), out + i, how->padded, plain);
      continue;
    }
#endif
    if (reads == NEAR) {
      const uint8_t* mask = how->mask + (i & ~(ptrdiff_t)15) * 8 + (i & 8) * 2;
      const int32_t *at = how->offset + i / 4, *beside = how->beside + i / 4;
      yuv[0] = LOGIC(or)(NAMED(sorted_four)(row, at, mask), NAMED(sorted_four)(row, at + 1, mask + 32));
      four = NAMED(sorted_four)(colours, beside, mask + 64);
      more = NAMED(sorted_four)(colours, beside + 1, mask + 96);
    } else {
      yuv[0] = NAMED(pairs_at)(row, how->offset + i);
      if (plain) yuv[0] = LOGIC(and)(yuv[0], OP(set1_epi16)(255));
      four = NAMED(colours_at)(colours, how->beside + i, how->mask + i * 4);
      more = NAMED(colours_at)(colours, how->beside + i + 4, how->mask + i * 4 + 16);
    }
    yuv[1] = OP(unpacklo_epi64)(four, more);
    yuv[2] = OP(unpackhi_epi64)(four, more);
    NAMED(store_colors)(yuv, LOAD(how->weight + i), out + i, how->padded, plain);
  }
}
#endif

static void NAMED(across_yuyv)(const uint8_t* row, const uint8_t* colours, const Across* how, int16_t* out) {
  (void)colours;
#if LEVEL >= 2
#define WALK(reads, plain) NAMED(yuyv)(row, how, out, reads, plain)
  EACH_WALK(WALK)
#undef WALK
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
#define WALK(reads, plain) NAMED(nv12)(row, colours, how, out, reads, plain)
  EACH_WALK(WALK)
#undef WALK
#else
  for (ptrdiff_t i = 0; i < how->padded; i++) {
    int left[3], right[3];
    ptrdiff_t x = how->first[i], next = how->weight[i] ? x + how->step : x; /* the last pixel has no right neighbour */
    color_of(row[x], colours[x & ~(ptrdiff_t)1], colours[x | 1], left);
    color_of(row[next], colours[next & ~(ptrdiff_t)1], colours[next | 1], right);
    for (int c = 0; c < 3; c++) out[i + c * how->padded] = between(left[c], right[c], how->weight[i]);
  }
#endif
}
