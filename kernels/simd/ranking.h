/* Orders of numbers with 32 bits: a key in the upper half of each item, its place in the lower. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RANK_FEW 40 /* up to here moving items one by one is quicker than counting digits */

/* Ascending where scores descend: equal ones keep their places, a NaN comes last. */
static inline uint64_t rank_of_score(float score, size_t place) {
  uint32_t bits;
  score += 0.0f; /* -0 is 0 */
  memcpy(&bits, &score, sizeof bits);
  bits = score != score ? UINT32_MAX : bits >> 31 ? bits : ~(bits | 0x80000000u);
  return (uint64_t)bits << 32 | place;
}

static inline uint64_t rank_of_label(int32_t label, size_t place) {
  return (uint64_t)((uint32_t)label ^ 0x80000000u) << 32 | place;
}

static inline void rank_few(uint64_t *items, size_t count) {
  for (size_t i = 1; i < count; i++) {
    uint64_t item = items[i];
    size_t at = i;
    for (; at > 0 && items[at - 1] > item; at--) items[at] = items[at - 1];
    items[at] = item;
  }
}

/* Move every item to its digit's stretch of `other`. */
static inline void rank_by_digit(const uint64_t *items, uint64_t *other, size_t count, unsigned shift) {
  uint32_t places[256] = {0}, next = 0;
  for (size_t i = 0; i < count; i++) places[items[i] >> shift & 255]++;
  for (int digit = 0; digit < 256; digit++) {
    uint32_t here = places[digit];
    places[digit] = next;
    next += here;
  }
  for (size_t i = 0; i < count; i++) other[places[items[i] >> shift & 255]++] = items[i];
}

/* The items, whose places ascend, by their keys; returned in one of the two arrays given. Digits that all have in common
   cost nothing, so that a few classes are ranked in one go. */
static inline uint64_t *rank(uint64_t *items, uint64_t *other, size_t count) {
  uint64_t some = 0, all = UINT64_MAX;
  if (count <= RANK_FEW) {
    rank_few(items, count);
    return items;
  }
  for (size_t i = 0; i < count; i++) some |= items[i], all &= items[i];
  for (unsigned shift = 32; shift < 64; shift += 8) {
    if ((some ^ all) >> shift & 255) {
      uint64_t *moved = other;
      rank_by_digit(items, other, count, shift);
      other = items;
      items = moved;
    }
  }
  return items;
}
