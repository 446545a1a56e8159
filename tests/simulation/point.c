#include "simulation/point.h"

const struct point_row POINTS[POINT_COUNT] = {
#define POINT_ROW(NAME, name, rate) [POINT_##NAME] = { name, rate },
    POINT_ROWS(POINT_ROW)
#undef POINT_ROW
};
