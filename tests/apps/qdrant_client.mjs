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
if (client.search) await check('search, as older versions call it', async () => {
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

// A set that is large enough for the graph, beside what the test computes itself.
const dimensions = 32;
let seed = 7;
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
const vector = () => Array.from({ length: dimensions }, () => Math.fround(random() - 0.5));
const many = Array.from({ length: 2000 }, (_, id) => (
  { id, vector: vector(), payload: { group: id % 10, even: id % 2 === 0 } }));
const group = (...values) => ({ must: [{ key: 'group', match: { any: values } }] });
const distance = (a, b) => Math.hypot(...a.map((value, i) => value - b[i]));

function nearest(points, query, limit) {
  const all = points.map(({ id, vector }) => ({ id, score: distance(vector, query) }));
  return all.sort((a, b) => a.score - b.score || a.id - b.id).slice(0, limit);
}

async function pages(name, more) {
  const all = [];
  for (let offset = 0; offset !== null;) {
    const page = await client.scroll(name, { limit: 150, offset, ...more });
    all.push(page.points);
    offset = page.next_page_offset ?? null;
  }
  return all;
}

await check('2,000 points in batches', async () => {
  await client.createCollection('many', {
    vectors: { size: dimensions, distance: 'Euclid' }, hnsw_config: { full_scan_threshold: 10 },
  });
  const batches = [];
  for (let i = 0; i < many.length; i += 250)
    batches.push(client.upsert('many', { wait: true, points: many.slice(i, i + 250) }));
  for (const result of await Promise.all(batches)) assert.equal(result.status, 'completed');
  assert.deepEqual(await client.count('many', { exact: true }), { count: 2000 });
  const some = { filter: group(3, 4), exact: true };
  assert.deepEqual(await client.count('many', some), { count: 400 });
});

await check('2,000 points: searches beside exact results', async () => {
  const of = (...groups) => many.filter((point) => groups.includes(point.payload.group));
  const filters = [[undefined, many], [group(1, 2, 3), of(1, 2, 3)], [group(7), of(7)]];
  let hits = 0;
  for (let round = 0; round < 10; ++round) {
    const query = vector();
    for (const [filter, points] of filters) {
      const truth = nearest(points, query, 10);
      const ask = { query, filter, limit: 10 };
      const exact = (await client.query('many', { ...ask, params: { exact: true } })).points;
      assert.deepEqual(ids(exact), ids(truth));
      exact.forEach((point, i) => assert.ok(Math.abs(point.score - truth[i].score) < 1e-5));
      const found = ids((await client.query('many', ask)).points);
      assert.equal(new Set(found).size, 10);
      hits += ids(truth).filter((id) => found.includes(id)).length;
    }
  }
  assert.ok(hits >= 0.95 * 300, `${hits} of 300 are found through the graph`);
});

await check('2,000 points: pages of a scroll, and a deletion by filter', async () => {
  const all = await pages('many', { with_vector: true });
  assert.deepEqual(all.map((page) => page.length), [...Array(13).fill(150), 50]);
  const plain = (point) => ({ id: point.id, payload: point.payload, vector: point.vector });
  assert.deepEqual(all.flat().map(plain), many);
  await client.delete('many', { wait: true, filter: group(0, 2, 4, 6) });
  const left = many.filter((point) => ![0, 2, 4, 6].includes(point.payload.group));
  assert.deepEqual(await client.count('many', { exact: true }), { count: 1200 });
  assert.deepEqual(ids((await pages('many', { with_payload: false })).flat()), ids(left));
  const even = { must: [{ key: 'even', match: { value: true } }] };
  const rest = left.filter((point) => point.payload.even);
  assert.deepEqual(ids((await pages('many', { filter: even })).flat()), ids(rest));
  const query = many[0].vector; // which is gone, and was the nearest
  const found = await client.query('many', { query, limit: 10, params: { exact: true } });
  assert.deepEqual(ids(found.points), ids(nearest(left, query, 10)));
  assert.equal(await client.deleteCollection('many'), true);
});

await check('what is not there', async () => {
  await refused(client.getAliases(), 501, /does not have/);
  const stranger = new QdrantClient({ url, apiKey: 'wrong', checkCompatibility: false });
  await refused(stranger.getCollections(), 401, /api-key/);
});

console.log(`${checks} groups of calls by @qdrant/js-client-rest ${version}`);
