// SPDX-License-Identifier: BSL-1.0
// M8: client.js URL N C fetch|http
"use strict";
const http = require("http");
const [, , url, N, C, kind] = process.argv;
const n = +N,
  c = +C;
const agent = new http.Agent({ keepAlive: true, maxSockets: c });
const get =
  kind === "fetch"
    ? async () => (await (await fetch(url)).arrayBuffer()).byteLength
    : () =>
        new Promise((ok, no) =>
          http
            .get(url, { agent }, (r) => {
              let k = 0;
              r.on("data", (d) => {
                k += d.length;
              });
              r.on("end", () => ok(k));
            })
            .on("error", no),
        );
async function go(k) {
  let left = k,
    total = 0;
  const w = async () => {
    while (left-- > 0) {
      const k = await get();
      total += k;
    }
  };
  await Promise.all(Array.from({ length: c }, w));
  return total;
}
(async () => {
  await go(Math.max((n / 10) | 0, 1));
  const u0 = process.cpuUsage(),
    t0 = performance.now();
  const t = await go(n);
  const u = process.cpuUsage(u0),
    w = performance.now() - t0;
  if (t !== n * 1024) throw new Error(t);
  console.log(JSON.stringify({ w: "M8", n, wall: w * 1e-3, cpu: (u.user + u.system) * 1e-6 }));
  process.exit(0);
})();
