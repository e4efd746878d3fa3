// SPDX-License-Identifier: BSL-1.0
"use strict";
const b = Buffer.from("Hello, World!");
const s = require("http").createServer((q, r) => {
  r.writeHead(200, { "Content-Type": "text/plain", "Content-Length": 13 });
  r.end(b);
});
s.keepAliveTimeout = 0;
s.listen({ port: +process.argv[2], host: "127.0.0.1", backlog: 4096 });
