// SPDX-License-Identifier: BSL-1.0
// Node as client of our server, by its three ways: fetch, http.Agent and undici; and ws. Arguments:
// URL, and a port where the same is served over TLS by who the file in NODE_EXTRA_CA_CERTS vouches
// for.
'use strict';
const assert = require('assert');
const http = require('http');
const undici = require('undici');
const WebSocket = require('ws');
const {once} = require('events');

const large = Buffer.from(Array.from({length: 500000}, (_, i) => i * 7919 % 256));

async function byFetch(url) {
  let response = await fetch(url);
  assert.strictEqual(await response.text(), 'hello');
  response = await fetch(url + 'moved');
  assert.ok(response.redirected && await response.text() === 'hello');
  response = await fetch(url + 'none');
  assert.strictEqual(response.status, 404);
  response = await fetch(url + 'stream');
  assert.strictEqual(await response.text(), '01234');
  response = await fetch(url + 'echo', {method: 'PUT', body: large});
  assert.ok(large.equals(Buffer.from(await response.arrayBuffer())));
  const form = new FormData();
  form.append('a', 'x y&z');
  form.append('f', new Blob([large]), 'é 1.bin');
  response = await fetch(url + 'form', {method: 'POST', body: form});
  assert.strictEqual(await response.text(), 'a=x y&z;f:é 1.bin:500000;');
  const parts = new ReadableStream({
    start(to) {
      for (let at = 0; at < large.length; at += 70000) to.enqueue(large.subarray(at, at + 70000));
      to.close();
    }
  });
  response = await fetch(url + 'echo', {method: 'POST', body: parts, duplex: 'half'});
  assert.ok(large.equals(Buffer.from(await response.arrayBuffer())));
}

async function byAgent(url) {
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  const ports = new Set();
  for (let i = 0; i < 20; ++i) {
    const request = http.request(url + 'echo', {agent, method: 'POST'});
    request.write('in ');
    request.end('parts');
    const [response] = await once(request, 'response');
    ports.add(response.socket.localPort);
    let text = '';
    for await (const part of response) text += part;
    assert.strictEqual(text, 'in parts');
  }
  assert.strictEqual(ports.size, 1);
  agent.destroy();
}

async function byUndici(url) {
  // As many requests on their way as the connection takes, answered in order.
  const client = new undici.Client(new URL(url).origin, {pipelining: 20});
  const answers = await Promise.all(Array.from({length: 200}, async (_, i) => {
    const {statusCode, body} = await client.request({path: '/number/' + i, method: 'GET'});
    return statusCode === 200 ? await body.text() : statusCode;
  }));
  answers.forEach((text, i) => assert.strictEqual(text, String(i)));
  const chunks = [];
  await client.stream({path: '/stream', method: 'GET', opaque: chunks}, ({opaque}) =>
    new (require('stream').Writable)({write(chunk, _, done) { opaque.push(chunk); done(); }}));
  assert.strictEqual(Buffer.concat(chunks).toString(), '01234');
  await client.close();
}

async function byWs(url, deflate) {
  const ws = new WebSocket(url.replace(/^http/, 'ws') + 'ws', 'chat', {perMessageDeflate: deflate});
  await once(ws, 'open');
  assert.strictEqual(ws.protocol, 'chat');
  assert.strictEqual(ws.extensions !== '', deflate !== false);
  for (const size of [0, 1, 125, 126, 65535, 65536, 300000]) {
    for (const message of ['é'.repeat(size), large.subarray(0, size)]) {
      ws.send(message);
      const [back, binary] = await once(ws, 'message');
      assert.strictEqual(binary, message instanceof Buffer);
      assert.ok(Buffer.from(message).equals(back));
    }
  }
  ws.send('in ', {fin: false});
  ws.send('parts', {fin: true});
  assert.strictEqual(String((await once(ws, 'message'))[0]), 'in parts');
  ws.ping('asked');
  assert.strictEqual(String((await once(ws, 'pong'))[0]), 'asked');
  ws.send('close');
  const [code, reason] = await once(ws, 'close');
  assert.strictEqual(code + String(reason), '1013later');
}

async function main(url, tls) {
  await byFetch(url);
  await byFetch(tls);
  await byAgent(url);
  await byUndici(url);
  await byUndici(tls);
  for (const deflate of [false, true, {serverMaxWindowBits: 9, clientMaxWindowBits: 10}]) {
    await byWs(url, deflate);
  }
  await byWs(tls, true);
  console.log('all well');
}

main(...process.argv.slice(2)).catch(error => {
  console.log(error);
  process.exit(1);
});
