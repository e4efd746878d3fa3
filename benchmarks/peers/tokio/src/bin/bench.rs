// SPDX-License-Identifier: BSL-1.0
// tokio current_thread on workloads M1-M5, M9, M10. One workload per process.
use futures_util::future::join_all;
use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, Notify};

fn cpu() -> f64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64
}
fn rss() -> i64 {
    let s = std::fs::read_to_string("/proc/self/statm").unwrap();
    s.split(' ').nth(1).unwrap().parse::<i64>().unwrap() * 4096
}
fn pin(core: usize) {
    unsafe {
        let mut s: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut s);
        libc::sched_setaffinity(0, std::mem::size_of_val(&s), &s);
    }
}
fn rng(s: &mut u64) -> u64 {
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    s.wrapping_mul(2685821657736338717)
}
struct Span {
    w0: Instant,
    c0: f64,
    w: f64,
    c: f64,
    x: String,
}
impl Span {
    fn new() -> Span {
        Span {
            w0: Instant::now(),
            c0: cpu(),
            w: 0.0,
            c: 0.0,
            x: String::new(),
        }
    }
    fn stop(mut self) -> Span {
        self.w = self.w0.elapsed().as_secs_f64();
        self.c = cpu() - self.c0;
        self
    }
}
fn rt() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
async fn trivial(i: u64) -> u64 {
    i
}
async fn yield_once(i: u64) -> u64 {
    tokio::task::yield_now().await;
    i
}

async fn m1s(n: u64) -> Span {
    let s = Span::new();
    let mut x = 0u64;
    for i in 0..n {
        x = x.wrapping_add(tokio::spawn(trivial(i)).await.unwrap());
    }
    let s = s.stop();
    std::hint::black_box(x);
    s
}
async fn m1b(n: u64) -> Span {
    let s = Span::new();
    let mut x = 0u64;
    let v: Vec<_> = (0..n).map(|i| tokio::spawn(trivial(i))).collect();
    for h in v {
        x = x.wrapping_add(h.await.unwrap());
    }
    let s = s.stop();
    std::hint::black_box(x);
    s
}
async fn m1m(n: u64) -> Span {
    let ev = Arc::new(Notify::new());
    let r0 = rss();
    let t = Instant::now();
    let mut v = Vec::new();
    v.reserve_exact(n as usize);
    for _ in 0..n {
        let e = ev.clone();
        v.push(tokio::spawn(async move { e.notified().await }));
    }
    for _ in 0..n / 50 {
        tokio::task::yield_now().await;
    }
    let sp = t.elapsed().as_secs_f64();
    let r1 = rss();
    let s = Span::new();
    ev.notify_waiters();
    for h in v {
        h.await.unwrap();
    }
    let mut s = s.stop();
    s.x = format!(
        ",\"bytes\":{:.1},\"spawn_wall\":{:.9}",
        (r1 - r0) as f64 / n as f64,
        sp
    );
    s
}
fn step(left: Rc<Cell<u64>>, done: Rc<Cell<Option<oneshot::Sender<()>>>>) {
    let k = left.get() - 1;
    left.set(k);
    if k == 0 {
        let _ = done.take().unwrap().send(());
    } else {
        tokio::task::spawn_local(async move { step(left, done) });
    }
}
async fn m2a(n: u64) -> Span {
    // tokio has no post(); the chain is spawn_local of a leaf future
    let ls = tokio::task::LocalSet::new();
    ls.run_until(async move {
        let s = Span::new();
        let (tx, rx) = oneshot::channel();
        step(Rc::new(Cell::new(n)), Rc::new(Cell::new(Some(tx))));
        rx.await.unwrap();
        s.stop()
    })
    .await
}
static K: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
async fn m2b(n: u64) -> Span {
    use std::sync::atomic::Ordering::Relaxed;
    K.store(0, Relaxed);
    let s = Span::new();
    for _ in 0..n {
        tokio::spawn(async {
            K.fetch_add(1, Relaxed);
        });
    }
    while K.load(Relaxed) != n {
        tokio::task::yield_now().await;
    }
    s.stop()
}
async fn m3(n: u64) -> Span {
    let (atx, mut arx) = mpsc::channel::<u64>(1);
    let (btx, mut brx) = mpsc::channel::<u64>(1);
    let h = tokio::spawn(async move {
        while let Some(v) = arx.recv().await {
            btx.send(v + 1).await.unwrap();
        }
    });
    let h2 = tokio::spawn(async move {
        let s = Span::new();
        let mut v = 0;
        for _ in 0..n {
            atx.send(v).await.unwrap();
            v = brx.recv().await.unwrap();
        }
        let s = s.stop();
        assert_eq!(v, n);
        s
    });
    let s = h2.await.unwrap();
    h.await.unwrap();
    s
}
async fn m4a(n: u64) -> Span {
    let mut r = 88172645463325252u64;
    let s = Span::new();
    let v: Vec<_> = (0..n)
        .map(|_| {
            let d = Duration::from_micros(rng(&mut r) % 100000);
            tokio::spawn(async move { tokio::time::sleep(d).await })
        })
        .collect();
    for h in v {
        h.await.unwrap();
    }
    s.stop()
}
async fn m4b(n: u64) -> Span {
    let s = Span::new();
    let mut x = 0u64;
    for i in 0..n {
        x = x.wrapping_add(
            tokio::time::timeout(Duration::from_secs(10), trivial(i))
                .await
                .unwrap(),
        );
    }
    let s = s.stop();
    std::hint::black_box(x);
    s
}
async fn m4y(n: u64) -> Span {
    let s = Span::new();
    let mut x = 0u64;
    for i in 0..n {
        x = x.wrapping_add(
            tokio::time::timeout(Duration::from_secs(10), yield_once(i))
                .await
                .unwrap(),
        );
    }
    let s = s.stop();
    std::hint::black_box(x);
    s
}
async fn m4c(n: u64) -> Span {
    // register a timer (first poll), then drop it; 10000 others live
    let mut r = 88172645463325252u64;
    let mut bg = Vec::new();
    async fn poll_once<F: Future + Unpin>(f: &mut F) {
        futures_util::future::poll_fn(|cx| {
            let _ = std::pin::Pin::new(&mut *f).poll(cx);
            std::task::Poll::Ready(())
        })
        .await
    }
    for _ in 0..10000 {
        let mut t = Box::pin(tokio::time::sleep(Duration::from_micros(
            30_000_000 + rng(&mut r) % 60_000_000,
        )));
        poll_once(&mut t).await;
        bg.push(t);
    }
    let s = Span::new();
    for i in 0..n {
        let t = tokio::time::sleep(Duration::from_micros(10_000_000 + rng(&mut r) % 60_000_000));
        tokio::pin!(t);
        poll_once(&mut t).await;
        if i & 1023 == 1023 {
            tokio::task::yield_now().await;
        }
    }
    s.stop()
}
async fn m5(n: u64) -> Span {
    let s = Span::new();
    for _ in 0..10 {
        join_all((0..n).map(|i| tokio::spawn(yield_once(i)))).await;
    }
    s.stop()
}
async fn leaf() {
    tokio::time::sleep(Duration::from_secs(3600)).await
}
async fn mid() {
    leaf().await
}
async fn outer() {
    mid().await
}
async fn m9(n: u64) -> Span {
    let v: Vec<_> = (0..n).map(|_| tokio::spawn(outer())).collect();
    for _ in 0..n / 50 {
        tokio::task::yield_now().await;
    }
    let s = Span::new();
    for h in &v {
        h.abort();
    }
    let mut k = 0;
    for h in v {
        if h.await.unwrap_err().is_cancelled() {
            k += 1;
        }
    }
    let s = s.stop();
    assert_eq!(k, n);
    s
}
async fn m10a(n: u64) -> Span {
    use std::sync::atomic::Ordering::Relaxed;
    K.store(0, Relaxed);
    let (tx, rx) = oneshot::channel();
    let h = tokio::runtime::Handle::current();
    let s = Span::new();
    let th = std::thread::spawn(move || {
        pin(1);
        let tx = Arc::new(std::sync::Mutex::new(Some(tx)));
        for i in 0..n {
            if i + 1 == n {
                let tx = tx.clone();
                h.spawn(async move {
                    K.fetch_add(1, Relaxed);
                    tx.lock().unwrap().take().unwrap().send(()).unwrap();
                });
            } else {
                h.spawn(async {
                    K.fetch_add(1, Relaxed);
                });
            }
        }
    });
    rx.await.unwrap();
    let s = s.stop();
    assert_eq!(K.load(Relaxed), n);
    th.join().unwrap();
    s
}
async fn m10b(n: u64) -> Span {
    let (tx, rx) = oneshot::channel();
    let h = tokio::runtime::Handle::current();
    let s = Span::new();
    std::thread::spawn(move || {
        pin(1);
        let (t2, r2) = std::sync::mpsc::sync_channel::<()>(1);
        let mut lat = Vec::with_capacity(n as usize);
        for _ in 0..n {
            let t = Instant::now();
            let t2 = t2.clone();
            h.spawn(async move { t2.send(()).unwrap() });
            r2.recv().unwrap();
            lat.push(t.elapsed().as_secs_f64());
        }
        tx.send(lat).unwrap();
    });
    let mut lat = rx.await.unwrap();
    let mut s = s.stop();
    lat.sort_by(|a, b| a.partial_cmp(b).unwrap());
    s.x = format!(
        ",\"p50\":{:.9},\"p99\":{:.9}",
        lat[(n / 2) as usize],
        lat[(n * 99 / 100) as usize]
    );
    s
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let w = a[1].as_str();
    let dflt: u64 = match w {
        "M2a" => 10_000_000,
        "M5" | "M9" | "M10b" => 100_000,
        _ => 1_000_000,
    };
    let n = a.get(2).map(|s| s.parse().unwrap()).unwrap_or(dflt);
    let nowarm = matches!(w, "M1m" | "M4a" | "M9") || std::env::var_os("BENCH_NOWARM").is_some();
    let one = |n: u64| -> Span {
        let r = rt();
        match w {
            "M1s" => r.block_on(m1s(n)),
            "M1b" => r.block_on(m1b(n)),
            "M1m" => r.block_on(m1m(n)),
            "M2a" => r.block_on(m2a(n)),
            "M2b" => r.block_on(m2b(n)),
            "M3" => r.block_on(m3(n)),
            "M4a" => r.block_on(m4a(n)),
            "M4b" => r.block_on(m4b(n)),
            "M4y" => r.block_on(m4y(n)),
            "M4c" => r.block_on(m4c(n)),
            "M5" => r.block_on(m5(n)),
            "M9" => r.block_on(m9(n)),
            "M10a" => r.block_on(m10a(n)),
            "M10b" => r.block_on(m10b(n)),
            _ => std::process::exit(2),
        }
    };
    if !nowarm {
        one(n / 10);
    }
    let s = one(n);
    println!(
        "{{\"w\":\"{}\",\"n\":{},\"wall\":{:.9},\"cpu\":{:.9}{}}}",
        w, n, s.w, s.c, s.x
    );
}
