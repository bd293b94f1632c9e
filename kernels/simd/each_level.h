/* Includes LEVEL_BODY once for each level, compiled for that level: one extension, no flags for single files.

   In a kernel's header (kernels/simd/scores.h):        In the body (kernels/simd/scores_body.h, no #pragma once):
     #pragma once                                         static float NAMED(highest)(const float* s, ptrdiff_t n) {
     #include "level.h"                                   #if LEVEL >= 3
     #define LEVEL_BODY "scores_body.h"                     ... _mm256_max_ps ...
     #include "each_level.h"                              #elif LEVEL == 2
     typedef float (*Highest)(const float*, ptrdiff_t);     ... _mm_max_ps ...
     static Highest highest_for(int level) {              #else
       return CHOOSE(level, highest);                       ... plain C ...
     }                                                    #endif
                                                          }
   LEVEL is 1 (plain C), 2, 3 or 4; NAMED(f) is f_v1 .. f_v4. CHOOSE(level, f) is the one of `level`.
   A body that does not gain from a level says so with LEVEL_TOP (3: level 4 runs the bodies of 3) before including
   this; one whose level 4 also wants the byte permutes of VBMI, with LEVEL_BYTES: it is for a CPU that has them, which
   level_moves_bytes() tells. Everything that a body calls must be static, NAMED or inlined: no AVX may stand in a function without the
   suffix, which tests/kernels/test_levels.py looks for in the built files. */

#ifndef LEVEL_TOP
#define LEVEL_TOP 4
#endif

#ifndef CHOOSE
#define LEVEL_JOIN_(name, level) name##_v##level
#define LEVEL_JOIN(name, level) LEVEL_JOIN_(name, level)
#define NAMED(name) LEVEL_JOIN(name, LEVEL)
#if LEVEL_HIGHEST == 4
#define CHOOSE(level, name) ((level) >= 4 ? name##_v4 : (level) == 3 ? name##_v3 : name##_v2)
#define CHOOSE_TO_V3(level, name) ((level) >= 3 ? name##_v3 : name##_v2)
#else
#define CHOOSE(level, name) ((void)(level), name##_v1)
#define CHOOSE_TO_V3(level, name) ((void)(level), name##_v1)
#endif
#if defined(__clang__)
#define LEVEL_BEGIN_V3 _Pragma("clang attribute push(__attribute__((target(\"arch=x86-64-v3\"))), apply_to = function)")
#define LEVEL_BEGIN_V4 _Pragma("clang attribute push(__attribute__((target(\"arch=x86-64-v4\"))), apply_to = function)")
#define LEVEL_BEGIN_BYTES \
  _Pragma("clang attribute push(__attribute__((target(\"arch=x86-64-v4,avx512vbmi\"))), apply_to = function)")
#define LEVEL_END _Pragma("clang attribute pop")
#else
#define LEVEL_BEGIN_V3 _Pragma("GCC push_options") _Pragma("GCC target(\"arch=x86-64-v3\")")
#define LEVEL_BEGIN_V4 _Pragma("GCC push_options") _Pragma("GCC target(\"arch=x86-64-v4\")")
#define LEVEL_BEGIN_BYTES _Pragma("GCC push_options") _Pragma("GCC target(\"arch=x86-64-v4,avx512vbmi\")")
#define LEVEL_END _Pragma("GCC pop_options")
#endif
#endif

#if LEVEL_HIGHEST == 4
#define LEVEL 2
#include LEVEL_BODY
#undef LEVEL
LEVEL_BEGIN_V3
#define LEVEL 3
#include LEVEL_BODY
#undef LEVEL
LEVEL_END
#if LEVEL_TOP >= 4
#ifdef LEVEL_BYTES
LEVEL_BEGIN_BYTES
#else
LEVEL_BEGIN_V4
#endif
#define LEVEL 4
#include LEVEL_BODY
#undef LEVEL
LEVEL_END
#endif
#else
#define LEVEL 1
#include LEVEL_BODY
#undef LEVEL
#endif

#undef LEVEL_BODY
#undef LEVEL_TOP
#undef LEVEL_BYTES
