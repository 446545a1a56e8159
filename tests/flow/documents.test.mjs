#!/usr/bin/env node
/*
 * The documents in which the hub describes itself pass a public linter, which checks them
 * against the metaschemas of OpenAPI 3.1 and AsyncAPI 3.0 and their examples against their
 * schemas.
 */
import assert from 'node:assert/strict';
import spectral from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';
import { story, tell } from './support.mjs';

const OPENAPI = {
  extends: [[rulesets.oas, 'recommended']],
  rules: { 'info-contact': 'off' }, // there is nobody to write to
};
const ASYNCAPI = {
  extends: [[rulesets.asyncapi, 'recommended']],
  rules: {
    'asyncapi-info-contact': 'off',
    'asyncapi-info-license': 'off',
    'asyncapi-latest-version': 'off', // tools read 3.0
  },
};

/* A route of v1.1's that is there to say what to use instead: it has no success. */
const KNOWN = /^operation-success-response at paths\.\/api\/admin\/restore\/\{table\}/;

async function complaints(ruleset, document) {
  const linter = new spectral.Spectral();
  linter.setRuleset(ruleset);
  const found = await linter.run(document);
  return found
    .map((one) => `${one.code} at ${one.path.join('.')}: ${one.message}`)
    .filter((text) => !KNOWN.test(text));
}

async function document(hub, path) {
  const answer = await hub.get(path);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  return answer.json();
}

const codes = (found) => found.map((text) => text.split(' ')[0]);

story('openapi.json passes the linter', async (hub) => {
  const openapi = await document(hub, '/openapi.json');
  assert.equal(openapi.openapi, '3.1.0');
  assert.deepEqual(await complaints(OPENAPI, openapi), []);
});

story('asyncapi.json passes the linter', async (hub) => {
  const asyncapi = await document(hub, '/asyncapi.json');
  assert.equal(asyncapi.asyncapi, '3.0.0');
  assert.deepEqual(await complaints(ASYNCAPI, asyncapi), []);
});

story('the linter sees what is wrong', async (hub) => {
  // Both at once: the linter takes longer than the hub keeps a silent connection.
  const openapi = await document(hub, '/openapi.json');
  const asyncapi = await document(hub, '/asyncapi.json');
  const submit = openapi.paths['/api/tasks'].post;
  submit.requestBody.content['application/json'].examples.example.value.description = 7;
  openapi.paths['/api/agents'].get.operationId = submit.operationId;
  openapi.paths['/health'].get.responses['200'].description = 5;
  const found = codes(await complaints(OPENAPI, openapi));
  for (const code of ['oas3-schema', 'oas3-valid-media-example',
    'operation-operationId-unique']) {
    assert.ok(found.includes(code), `${code} is not in ${found}`);
  }

  asyncapi.operations.receive_ping.action = 'hear';
  const heard = codes(await complaints(ASYNCAPI, asyncapi));
  assert.ok(heard.some((code) => /document/.test(code)), heard);
});

story('every operation has a name and a group that is described', async (hub) => {
  const openapi = await document(hub, '/openapi.json');
  const tags = new Set(openapi.tags.map((tag) => tag.name));
  for (const methods of Object.values(openapi.paths)) {
    for (const operation of Object.values(methods)) {
      assert.ok(operation.operationId && operation['x-roles'].length, operation);
      assert.ok(operation.tags.every((tag) => tags.has(tag)), operation.operationId);
    }
  }
  const asyncapi = await document(hub, '/asyncapi.json');
  const { messages } = asyncapi.channels.ws;
  for (const [name, operation] of Object.entries(asyncapi.operations)) {
    assert.match(operation.action, /^(send|receive)$/);
    assert.ok(name.startsWith(operation.action), name);
    const named = [...operation.messages, ...operation.reply?.messages ?? []];
    for (const { $ref: target } of named) {
      assert.ok(target.split('/').pop() in messages, target);
    }
  }
});

await tell();
