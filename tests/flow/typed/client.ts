/*
 * A client with types made from GET /openapi.json, as a user would write it. It is compiled
 * by typed_client.test.mjs, which also runs it: HUB and TOKEN are where to and as whom.
 */
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

declare const process: { env: Record<'HUB' | 'TOKEN', string> };

type Task = components['schemas']['task'];

const client = createClient<paths>({
  baseUrl: process.env.HUB,
  headers: { Authorization: `Bearer ${process.env.TOKEN}` },
});

async function submit(description: string): Promise<string> {
  const { data, error } = await client.POST('/api/tasks', {
    params: { header: { 'Idempotency-Key': description } },
    body: { description, priority: 'high', needed_capabilities: ['typescript'] },
  });
  if (error) throw new Error(error.error);
  return data.task_id;
}

async function task(id: string): Promise<Task> {
  const { data, error } = await client.GET('/api/tasks/{task_id}', {
    params: { path: { task_id: id } },
  });
  if (error) throw new Error(error.error);
  return data;
}

const id = await submit('typed');
const again = await submit('typed');
const found = await task(id);
const lanes: Record<number, string> = { 0: 'urgent', 1: 'high', 2: 'normal', 3: 'low' };

// What the schemas do not allow does not compile; the hub refuses it as well.
const refused = await client.POST('/api/tasks', {
  // @ts-expect-error there is no such lane
  body: { description: 'x', priority: 'hurry' },
});
const incomplete = await client.POST('/api/tasks', {
  // @ts-expect-error a task has a description
  body: { priority: 'low' },
});
// @ts-expect-error the filter is one of the states
const filtered = await client.GET('/api/tasks', { params: { query: { status: 'lost' } } });
// @ts-expect-error a task has no such member
const missing: undefined = found.colour;

console.log(JSON.stringify({
  same: id === again,
  state: found.state,
  lane: lanes[found.priority],
  missing: missing === undefined,
  refused: refused.error?.error,
  fields: [...refused.error?.errors ?? [], ...incomplete.error?.errors ?? [],
    ...filtered.error?.errors ?? []].map((item) => item.field),
}));
