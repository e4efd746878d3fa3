// SPDX-License-Identifier: BSL-1.0
// Node.js promises and timers on workloads M1-M5, M9 (no tasks: an async call is the spawn).
"use strict";
const { performance } = require("perf_hooks");
const fs = require("fs");
const W = process.argv[2];
const DEF = { M1d: 10000000, M2a: 1000000, M2micro: 10000000, M5: 100000, M9: 100000 };
const N = process.argv[3] ? +process.argv[3] : DEF[W] || 1000000;
const extra = {};
const cpu = () => {
  const u = process.cpuUsage();
  return (u.user + u.system) * 1e-6;
};
const rss = () => +fs.readFileSync("/proc/self/statm", "utf8").split(" ")[1] * 4096;
const span = () => {
  const w = performance.now(),
    c = cpu();
  return () => ({ wall: (performance.now() - w) * 1e-3, cpu: cpu() - c });
};
let st = 123456789;
const rnd = () => {
  st ^= st << 13;
  st ^= st >>> 17;
  st ^= st << 5;
  return st >>> 0;
};
const trivial = async (i) => i;
const tick = () => new Promise((r) => setImmediate(r));
const yieldOnce = async (i) => {
  await tick();
  return i;
};
class Queue1 {
  // capacity-1 queue
  constructor() {
    this.full = false;
    this.v = 0;
    this.g = null;
    this.p = null;
  }
  async put(v) {
    while (this.full)
      await new Promise((r) => {
        this.p = r;
      });
    this.full = true;
    this.v = v;
    if (this.g) {
      const g = this.g;
      this.g = null;
      g();
    }
  }
  async get() {
    while (!this.full)
      await new Promise((r) => {
        this.g = r;
      });
    this.full = false;
    const v = this.v;
    if (this.p) {
      const p = this.p;
      this.p = null;
      p();
    }
    return v;
  }
}
const F = {
  async M1d(n) {
    const s = span();
    let x = 0;
    for (let i = 0; i < n; i++) x += await trivial(i);
    return s();
  },
  async M1b(n) {
    const s = span();
    const v = new Array(n);
    for (let i = 0; i < n; i++) v[i] = trivial(i);
    await Promise.all(v);
    return s();
  },
  async M1m(n) {
    let set;
    const ev = new Promise((r) => {
      set = r;
    });
    const r0 = rss(),
      t0 = performance.now();
    const one = async () => {
      await ev;
    };
    const v = new Array(n);
    for (let i = 0; i < n; i++) v[i] = one();
    await null;
    extra.spawn_wall = (performance.now() - t0) * 1e-3;
    extra.bytes = (rss() - r0) / n;
    const s = span();
    set();
    await Promise.all(v);
    return s();
  },
  async M2a(n) {
    const s = span();
    await new Promise((r) => {
      let k = n;
      const f = () => {
        if (--k) setImmediate(f);
        else r();
      };
      setImmediate(f);
    });
    return s();
  },
  async M2micro(n) {
    const s = span();
    await new Promise((r) => {
      let k = n;
      const f = () => {
        if (--k) queueMicrotask(f);
        else r();
      };
      queueMicrotask(f);
    });
    return s();
  },
  async M2b(n) {
    const s = span();
    await new Promise((r) => {
      let k = n;
      const f = () => {
        if (!--k) r();
      };
      for (let i = 0; i < n; i++) setImmediate(f);
    });
    return s();
  },
  async M3(n) {
    const a = new Queue1(),
      b = new Queue1();
    const h = (async () => {
      for (let i = 0; i < n; i++) await b.put((await a.get()) + 1);
    })();
    const s = span();
    let v = 0;
    for (let i = 0; i < n; i++) {
      await a.put(v);
      v = await b.get();
    }
    const r = s();
    if (v !== n) throw 1;
    await h;
    return r;
  },
  async M4a(n) {
    const s = span();
    const v = new Array(n);
    for (let i = 0; i < n; i++) {
      const d = (rnd() % 100000) / 1000;
      v[i] = new Promise((r) => setTimeout(r, d));
    }
    await Promise.all(v);
    return s();
  },
  async M4b(n) {
    const s = span();
    for (let i = 0; i < n; i++) {
      let h;
      await Promise.race([
        trivial(i),
        new Promise((_, j) => {
          h = setTimeout(j, 10000);
        }),
      ]);
      clearTimeout(h);
    }
    return s();
  },
  async M4y(n) {
    const s = span();
    for (let i = 0; i < n; i++) {
      let h;
      await Promise.race([
        yieldOnce(i),
        new Promise((_, j) => {
          h = setTimeout(j, 10000);
        }),
      ]);
      clearTimeout(h);
    }
    return s();
  },
  async M4c(n) {
    const f = () => {};
    const bg = [];
    for (let i = 0; i < 10000; i++) bg.push(setTimeout(f, 30000 + (rnd() % 60000)));
    const s = span();
    for (let i = 0; i < n; i++) {
      clearTimeout(setTimeout(f, 10000 + (rnd() % 60000)));
      if ((i & 1023) === 1023) await tick();
    }
    const r = s();
    for (const t of bg) clearTimeout(t);
    return r;
  },
  async M5(n) {
    const s = span();
    for (let r = 0; r < 10; r++) {
      const v = new Array(n);
      for (let i = 0; i < n; i++) v[i] = yieldOnce(i);
      await Promise.all(v);
    }
    return s();
  },
  async M9(n) {
    const tp = require("timers/promises");
    require("events").setMaxListeners(0);
    const leaf = async (signal) => {
      await tp.setTimeout(3600000, undefined, { signal });
    };
    const mid = async (g) => {
      await leaf(g);
    };
    const outer = async (g) => {
      await mid(g);
    };
    const cs = [],
      v = [];
    for (let i = 0; i < n; i++) {
      const c = new AbortController();
      cs.push(c);
      v.push(outer(c.signal));
    }
    await tick();
    const s = span();
    for (const c of cs) c.abort();
    const r = await Promise.allSettled(v);
    const e = s();
    if (r.some((q) => q.status !== "rejected")) throw 1;
    return e;
  },
};
(async () => {
  if (!F[W]) process.exit(2);
  if (!["M1m", "M4a", "M9"].includes(W)) await F[W](Math.max(1, (N / 10) | 0));
  const r = await F[W](N);
  console.log(JSON.stringify({ w: W, n: N, ...r, ...extra }));
  process.exit(0);
})();
