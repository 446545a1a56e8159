#include "ops/shape.h"

/* The first version has none before it. */
const struct store_migration *const SHAPE_STEPS = NULL;
const unsigned SHAPE_STEP_COUNT = 0;
