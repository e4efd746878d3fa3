#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# build.sh BUILD_DIR: builds the rivals' programs, each with its own tools, as they are built for speed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
fast="-O3 -DNDEBUG"

# shellcheck disable=SC2086  # several options
{
  gcc $fast "$here/c/loadgen.c" -o "$out/loadgen"
  gcc $fast "$here/c/echo_epoll.c" -o "$out/echo-epoll"
  gcc $fast "$here/c/client_curl.c" -o "$out/client-curl" -lcurl
  gcc $fast "$here/uv/bench.c" -o "$out/uv" -luv -pthread
  gcc $fast -D_GNU_SOURCE "$here/uv/echo.c" -o "$out/echo-uv" -luv
  gcc $fast -D_GNU_SOURCE "$here/uv/http.c" -o "$out/http-uv" -luv
  g++ -std=c++20 $fast "$here/asio/bench.cpp" -o "$out/asio-gcc" -pthread
  clang++-19 -std=c++20 $fast "$here/asio/bench.cpp" -o "$out/asio-clang" -pthread
  for program in echo http client websocket; do
    g++ -std=c++20 $fast "$here/asio/$program.cpp" -o "$out/asio-$program" -pthread
  done
}
for program in bench echo http client; do
  GO111MODULE=off GOCACHE=$out/go-cache go build -o "$out/go-$program" "$here/go/$program/main.go"
done
# Cargo writes into its folder, and Debian's crates are read without a network.
rm -rf "$out/tokio"
cp -r "$here/tokio" "$out/tokio"
cd "$out/tokio"
cargo --config cargo-config.toml build --release --offline --target-dir "$out/cargo"
