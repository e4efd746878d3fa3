// SPDX-License-Identifier: BSL-1.0
// M7w: a WebSocket echo with ws. websocket.js PORT
"use strict";
const { WebSocketServer } = require("ws");
const server = new WebSocketServer({
  port: +process.argv[2],
  host: "127.0.0.1",
  backlog: 4096,
  perMessageDeflate: false,
});
server.on("connection", (ws) => {
  ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
  ws.on("error", () => {});
});
