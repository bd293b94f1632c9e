/* Which instructions serve: the highest level that this build has bodies for and this CPU can run.
   A level is a number: 2, 3, 4 for x86-64-v2, -v3 (AVX2) and -v4 (AVX-512); 1 where there is one body alone, which
   the compiler makes vectors of as it may (NEON on aarch64). How bodies come to their levels: each_level.h. */
#pragma once

/* PLAIN_BODIES: what aarch64 compiles, tried on a machine that has more. */
#if defined(__x86_64__) && defined(__SSE4_2__) && defined(__GNUC__) && !defined(PLAIN_BODIES)
#define LEVEL_FLOOR 2
#define LEVEL_HIGHEST 4
#include <immintrin.h>
#else
#define LEVEL_FLOOR 1
#define LEVEL_HIGHEST 1
#endif

/* The highest level that this CPU, and the system on it, can run. */
static inline int level_of_cpu(void) {
#if LEVEL_HIGHEST == 4
  __builtin_cpu_init();
  if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c")))
    return 2;
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
             ? 4
             : 3;
#else
  return 1;
#endif
}

/* Whether a CPU of level 4 can also put any byte of a register anywhere (AVX-512 VBMI: Ice Lake, Zen 4 and later). */
static inline int level_moves_bytes(void) {
#if LEVEL_HIGHEST == 4
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512vbmi");
#else
  return 0;
#endif
}

/* A level's name, as kernels.LEVEL and EDGE_CPU write it. */
static inline const char* level_name(int level) {
#if LEVEL_HIGHEST == 4
  return level == 4 ? "v4" : level == 3 ? "v3" : "v2";
#elif defined(__aarch64__)
  (void)level;
  return "neon";
#else
  (void)level;
  return "generic";
#endif
}
