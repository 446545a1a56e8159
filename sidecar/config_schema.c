#include "sidecar/config_schema.h"

/* The assembler puts the file's bytes between two labels. */
__asm__(".pushsection .rodata\n"
        ".globl sidecar_schema_start\n"
        ".globl sidecar_schema_end\n"
        "sidecar_schema_start:\n"
        ".incbin \"" DROVER_SIDECAR_SCHEMA "\"\n"
        "sidecar_schema_end:\n"
        ".popsection\n");

extern const char sidecar_schema_start[];
extern const char sidecar_schema_end[];

struct slice config_schema_text(void)
{
    return slice_make(sidecar_schema_start,
                      (size_t)(sidecar_schema_end - sidecar_schema_start));
}
