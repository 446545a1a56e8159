/*
 * config_schema.h - schemas/sidecar_config.json, as the build found it.
 */
#ifndef SIDECAR_CONFIG_SCHEMA_H
#define SIDECAR_CONFIG_SCHEMA_H

#include "base/slice.h"

struct slice config_schema_text(void);

#endif
