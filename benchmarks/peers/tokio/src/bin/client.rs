// SPDX-License-Identifier: BSL-1.0
// M8: N GETs with C in flight through hyper's pooled client, one thread.
use futures_util::StreamExt;
use std::time::Instant;
fn cpu() -> f64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64
}
async fn go(
    cl: &hyper::Client<hyper::client::HttpConnector>,
    url: &hyper::Uri,
    n: usize,
    c: usize,
) -> usize {
    let mut total = 0;
    let mut st = futures_util::stream::iter((0..n).map(|_| {
        let cl = cl.clone();
        let u = url.clone();
        async move {
            let r = cl.get(u).await.unwrap();
            assert_eq!(r.status(), 200);
            hyper::body::to_bytes(r.into_body()).await.unwrap().len()
        }
    }))
    .buffer_unordered(c);
    while let Some(k) = st.next().await {
        total += k;
    }
    total
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (url, n, c): (hyper::Uri, usize, usize) = (
        a[1].parse().unwrap(),
        a[2].parse().unwrap(),
        a[3].parse().unwrap(),
    );
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    rt.block_on(async {
        let cl = hyper::Client::builder()
            .pool_max_idle_per_host(c)
            .build_http();
        go(&cl, &url, n / 10, c).await;
        let (w, p) = (Instant::now(), cpu());
        let t = go(&cl, &url, n, c).await;
        let (w, p) = (w.elapsed().as_secs_f64(), cpu() - p);
        assert_eq!(t, n * 1024);
        println!(
            "{{\"w\":\"M8\",\"n\":{},\"wall\":{:.9},\"cpu\":{:.9}}}",
            n, w, p
        );
    });
}
