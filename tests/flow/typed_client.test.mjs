#!/usr/bin/env node
/*
 * GET /openapi.json is ready input for typed clients: a public generator makes types of it,
 * a client compiles against them in the strict mode of the compiler, and works.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import openapiTS, { astToString } from 'openapi-typescript';
import { story, tell } from './support.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

story('a client typed by openapi.json compiles and works', async (hub) => {
  const openapi = await (await hub.get('/openapi.json')).json();
  const folder = join(hub.folder, 'client');
  mkdirSync(folder);
  symlinkSync(join(HERE, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'api.ts'), astToString(await openapiTS(openapi)));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      strict: true, target: 'es2022', module: 'nodenext', types: [], skipLibCheck: true,
    },
    files: ['client.ts'],
  }));
  copyFileSync(join(HERE, 'typed', 'client.ts'), join(folder, 'client.ts'));

  const compiler = join(HERE, 'node_modules', '.bin', 'tsc');
  await run(compiler, [], { cwd: folder })
    .catch((error) => assert.fail(error.stdout));

  const { stdout } = await run(process.execPath, ['client.js'], {
    cwd: folder,
    env: { ...process.env, HUB: `http://127.0.0.1:${hub.port}`, TOKEN: hub.token },
  });
  assert.deepEqual(JSON.parse(stdout), {
    same: true,
    state: 'queued',
    lane: 'high',
    missing: true,
    refused: 'validation_failed',
    fields: ['priority', 'description', 'status'],
  });
});

await tell();
