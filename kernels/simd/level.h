/* Which instructions this build may use, as kernels.LEVEL tells it. */
#pragma once

#if defined(__aarch64__)
#define KERNEL_LEVEL "neon"
#elif defined(__SSE4_2__)
#define KERNEL_LEVEL "v2"
#else
#define KERNEL_LEVEL "generic"
#endif
