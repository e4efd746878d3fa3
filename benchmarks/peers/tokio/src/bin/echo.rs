// SPDX-License-Identifier: BSL-1.0
use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap();
    let l = tokio::net::TcpListener::bind(format!("127.0.0.1:{}", port)).await?;
    loop {
        let (mut s, _) = l.accept().await?;
        s.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut b = vec![0u8; 65536];
            loop {
                let n = match s.read(&mut b).await {
                    Ok(0) | Err(_) => return,
                    Ok(n) => n,
                };
                if s.write_all(&b[..n]).await.is_err() {
                    return;
                }
            }
        });
    }
}
