// SPDX-License-Identifier: BSL-1.0
// Node's http and ws as servers of our client.
'use strict';
const http = require('http');
const zlib = require('zlib');
const {WebSocketServer} = require('ws');

const server = http.createServer((request, response) => {
  if (request.url === '/zipped') {
    response.setHeader('Content-Encoding', 'br');
    const out = zlib.createBrotliCompress();
    out.pipe(response);
    for (let i = 0; i < 100; ++i) out.write('plain words '.repeat(100));
    out.end();
  } else if (request.url === '/moved') {
    response.writeHead(303, {Location: '/echo', 'Set-Cookie': 'taste=sweet'});
    response.end();
  } else if (request.url === '/cookies') {
    response.end(request.headers.cookie);
  } else {
    request.pipe(response);  // as it comes
  }
});

const sockets = new WebSocketServer({server, path: '/ws', perMessageDeflate: true,
                                     maxPayload: 2 ** 24});
sockets.on('connection', ws => {
  ws.on('message', (data, binary) => {
    if (String(data) === 'close') return ws.close(1012, 'restart');
    ws.send(data, {binary});
  });
});

server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
