// SPDX-License-Identifier: BSL-1.0
use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Request, Response, Server};
const fn json() -> [u8; 1024] {
    let mut text = [b'x'; 1024];
    let front = b"{\"message\":\"";
    let mut i = 0;
    while i < front.len() {
        text[i] = front[i];
        i += 1;
    }
    text[1022] = b'"';
    text[1023] = b'}';
    text
}
static JSON: [u8; 1024] = json();
async fn hello(q: Request<Body>) -> Result<Response<Body>, std::convert::Infallible> {
    let (kind, body) = match q.uri().path() {
        "/json" => ("application/json", &JSON[..]),
        _ => ("text/plain", &b"Hello, World!"[..]),
    };
    Ok(Response::builder()
        .header("content-type", kind)
        .body(Body::from(body))
        .unwrap())
}
#[derive(Clone)]
struct Local;
impl<F: std::future::Future + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, f: F) {
        tokio::task::spawn_local(f);
    }
}
fn main() {
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ls = tokio::task::LocalSet::new();
    ls.block_on(&rt, async move {
        let mk =
            make_service_fn(|_| async { Ok::<_, std::convert::Infallible>(service_fn(hello)) });
        Server::bind(&([127, 0, 0, 1], port).into())
            .tcp_nodelay(true)
            .http1_only(true)
            .executor(Local)
            .serve(mk)
            .await
            .unwrap();
    });
}
