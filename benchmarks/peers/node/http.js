// SPDX-License-Identifier: BSL-1.0
"use strict";
const json = Buffer.from(JSON.stringify({ message: "x".repeat(1010) }));
const b = Buffer.from("Hello, World!");
const s = require("http").createServer((q, r) => {
  const isJson = q.url === "/json";
  const body = isJson ? json : b;
  const type = isJson ? "application/json" : "text/plain";
  r.writeHead(200, { "Content-Type": type, "Content-Length": body.length });
  r.end(body);
});
s.keepAliveTimeout = 0;
s.listen({ port: +process.argv[2], host: "127.0.0.1", backlog: 4096 });
