// SPDX-License-Identifier: BSL-1.0
// What users of @qdrant/js-client-rest do, on the server whose URL is the argument.
import assert from 'node:assert/strict';
import { QdrantClient } from '@qdrant/js-client-rest';

const [url, version] = process.argv.slice(2);
const client = new QdrantClient({ url, apiKey: 'secret' });
const uuid = '9e107d9d-372b-4b68-8bd8-1fffd4a3e0f4';
const berlin = { must: [{ key: 'city', match: { value: 'Berlin' } }] };
const london = { city: 'London', nested: { a: [1, 2] } };
const ids = (points) => points.map((point) => point.id);
let checks = 0;

async function check(name, body) {
  await body();
  checks += 1;
  console.log(`ok ${name}`);
}

async function refused(promise, status, text) {
  const error = await promise.then(() => assert.fail('it was taken'), (thrown) => thrown);
  assert.equal(error.status, status, error);
  assert.match(JSON.stringify(error.data), text);
}

await check('collections', async () => {
  const vectors = { size: 4, distance: 'Cosine' };
  assert.equal(await client.createCollection('cities', { vectors }), true);
  assert.deepEqual((await client.getCollections()).collections, [{ name: 'cities' }]);
  assert.deepEqual(await client.collectionExists('cities'), { exists: true });
  const info = await client.getCollection('cities');
  assert.equal(info.status, 'green');
  assert.equal(info.config.params.vectors.size, 4);
  await refused(client.createCollection('cities', { vectors }), 409, /cities/);
});

await check('upsert', async () => {
  const result = await client.upsert('cities', {
    wait: true,
    points: [
      { id: 1, vector: [0.05, 0.61, 0.76, 0.74], payload: { city: 'Berlin', count: 10 } },
      { id: 2, vector: [0.19, 0.81, 0.75, 0.11], payload: { city: ['Berlin', 'London'] } },
      { id: 3, vector: [0.36, 0.55, 0.47, 0.94], payload: { city: 'Moscow' } },
      { id: uuid, vector: [0.18, 0.01, 0.85, 0.8], payload: london },
    ],
  });
  assert.equal(result.status, 'completed');
  const batch = { ids: [5, 6], vectors: [[0.24, 0.18, 0.22, 0.44], [0.35, 0.08, 0.11, 0.44]] };
  await client.upsert('cities', { wait: true, batch });
  assert.deepEqual(await client.count('cities', { exact: true }), { count: 6 });
  await refused(client.upsert('cities', { points: [{ id: 9, vector: [1, 2] }] }), 400, /dimension/);
});

await check('search', async () => {
  const near = [0.2, 0.1, 0.9, 0.7];
  const query = async (more) => (await client.query('cities', { query: near, ...more })).points;
  const found = await query({ limit: 3, with_payload: true });
  assert.deepEqual(ids(found), [uuid, 1, 5]);
  assert.ok(found[0].score > 0.99 && found[0].score > found[1].score);
  assert.deepEqual(found[0].payload, london);
  const some = await query({ filter: berlin, with_payload: ['count'], with_vector: true });
  assert.deepEqual(ids(some), [1, 2]);
  assert.deepEqual(some[0].payload, { count: 10 });
  assert.equal(some[0].vector.length, 4);
  assert.deepEqual(ids(await query({ limit: 1, params: { exact: true } })), [uuid]);
  const like = await client.query('cities', { query: 1, limit: 9, score_threshold: 0.9 });
  assert.ok(!ids(like.points).includes(1) && like.points.length > 0);
  const searches = [{ query: near, limit: 1 }, { query: 2, limit: 2 }];
  const batches = await client.queryBatch('cities', { searches });
  assert.deepEqual(batches.map((batch) => batch.points.length), [1, 2]);
});

// Versions before 1.19 have these calls as well.
await check('search, as older versions call it', async () => {
  if (!client.search) return;
  const found = await client.search('cities', { vector: [0.2, 0.1, 0.9, 0.7], limit: 3 });
  assert.deepEqual(ids(found), [uuid, 1, 5]);
  const searches = [{ vector: [1, 0, 0, 0], limit: 1 }, { vector: [0, 1, 0, 0], limit: 2 }];
  const batches = await client.searchBatch('cities', { searches });
  assert.deepEqual(batches.map((batch) => batch.length), [1, 2]);
});

await check('retrieve and scroll', async () => {
  const points = await client.retrieve('cities', { ids: [3, 77, uuid], with_vector: true });
  assert.deepEqual(ids(points), [3, uuid]);
  const page = await client.scroll('cities', { limit: 4, with_payload: false });
  assert.deepEqual(ids(page.points), [1, 2, 3, 5]);
  const rest = await client.scroll('cities', { limit: 4, offset: page.next_page_offset });
  assert.deepEqual(ids(rest.points), [6, uuid]);
  assert.equal(rest.next_page_offset, null);
  assert.deepEqual(ids((await client.scroll('cities', { filter: berlin })).points), [1, 2]);
});

await check('payloads', async () => {
  await client.setPayload('cities', { wait: true, payload: { seen: true }, points: [1] });
  await client.overwritePayload('cities', { wait: true, payload: { only: 'this' }, points: [3] });
  await client.deletePayload('cities', { wait: true, keys: ['city'], points: [2] });
  await client.clearPayload('cities', { wait: true, points: [uuid] });
  const points = await client.retrieve('cities', { ids: [1, 2, 3, uuid] });
  assert.deepEqual(points.map((point) => point.payload),
    [{ city: 'Berlin', count: 10, seen: true }, {}, { only: 'this' }, {}]);
});

await check('delete', async () => {
  await client.delete('cities', { wait: true, points: [5, uuid] });
  await client.delete('cities', { wait: true, filter: berlin });
  assert.deepEqual(ids((await client.scroll('cities', {})).points), [2, 3, 6]);
  assert.equal(await client.deleteCollection('cities'), true);
  await refused(client.getCollection('cities'), 404, /cities/);
});

await check('what is not there', async () => {
  await refused(client.getAliases(), 501, /does not have/);
  const stranger = new QdrantClient({ url, apiKey: 'wrong', checkCompatibility: false });
  await refused(stranger.getCollections(), 401, /api-key/);
});

console.log(`${checks} groups of calls by @qdrant/js-client-rest ${version}`);
