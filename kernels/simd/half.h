/* float to half precision, to the nearest and to even in the middle; the x86-64-v2 floor has no instruction for it. */
#pragma once

#include <stdint.h>
#include <string.h>

static inline uint16_t half_from_float(float value) {
  uint32_t bits, sign, size;
  memcpy(&bits, &value, sizeof bits);
  sign = (bits >> 16) & 0x8000u;
  size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);  /* NaN */
  if (size >= 0x47800000u) return (uint16_t)(sign | 0x7c00u); /* 65536 and beyond: infinity */
  if (size < 0x38800000u) {
    /* Below 2^-14 a half counts in steps of 2^-24, which is the last bit of a float at 0.5: adding 0.5 rounds. */
    float small;
    memcpy(&small, &size, sizeof small);
    small += 0.5f;
    memcpy(&size, &small, sizeof size);
    return (uint16_t)(sign | (size - 0x3f000000u));
  }
  size += 0xfffu + ((size >> 13) & 1u);
  return (uint16_t)(sign | ((size - 0x38000000u) >> 13));
}
