#include "ops/shape.h"

#include "core/core.h"

uint32_t shape_version(void)
{
    return SHAPE_STEP_COUNT + 1;
}

struct store_options shape_options(const char *directory)
{
    return (struct store_options){
        .directory = directory,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .migrations = SHAPE_STEPS,
        .migration_count = SHAPE_STEP_COUNT,
    };
}
