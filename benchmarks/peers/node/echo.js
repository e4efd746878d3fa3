// SPDX-License-Identifier: BSL-1.0
"use strict";
require("net")
  .createServer({ noDelay: true }, (s) => {
    s.on("data", (d) => s.write(d));
    s.on("error", () => {});
  })
  .listen({ port: +process.argv[2], host: "127.0.0.1", backlog: 4096 });
