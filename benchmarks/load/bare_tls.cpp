// SPDX-License-Identifier: BSL-1.0
// usage: load_bare_tls COUNT
//
// What OpenSSL itself keeps for a server's handshake that has sent its hello and waits: COUNT of
// them, over BIOs that keep nothing, with the settings of our contexts. Prints bytes for each.
#include "certificates.hpp"

#include <openssl/ssl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// Gives the bytes it points to, takes any.
int read_bytes(BIO* bio, char* room, int size) {
  auto& left = *static_cast<std::string_view*>(BIO_get_data(bio));
  std::size_t count = std::min(left.size(), static_cast<std::size_t>(size));
  BIO_clear_retry_flags(bio);
  if (count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(room, left.data(), count);
  left.remove_prefix(count);
  return static_cast<int>(count);
}
int write_bytes(BIO*, const char*, int size) { return size; }
long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

std::string client_hello() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  BIO* wire = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), wire);
  SSL_connect(ssl);
  char* bytes = nullptr;
  long size = BIO_get_mem_data(wire, &bytes);
  std::string hello(bytes, static_cast<std::size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return hello;
}

std::size_t live() {
  struct mallinfo2 heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

}  // namespace

int main(int count, char** words) {
  int wanted = count > 1 ? std::atoi(words[1]) : 1000;
  test::Folder folder;
  test::Identity identity(folder, test::CertificateSpec("localhost"));
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_use_certificate_chain_file(context, identity.certfile.c_str());
  SSL_CTX_use_PrivateKey_file(context, identity.keyfile.c_str(), SSL_FILETYPE_PEM);
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bare");
  BIO_meth_set_read(method, &read_bytes);
  BIO_meth_set_write(method, &write_bytes);
  BIO_meth_set_ctrl(method, &control);

  const std::string hello = client_hello();
  std::vector<SSL*> all;
  auto begin_one = [&] {
    std::string_view input = hello;
    SSL* ssl = SSL_new(context);
    BIO* bio = BIO_new(method);
    BIO_set_init(bio, 1);
    BIO_set_data(bio, &input);
    SSL_set_bio(ssl, bio, bio);
    SSL_accept(ssl);
    all.push_back(ssl);
  };
  begin_one();  // what is made once
  std::size_t before = live();
  for (int i = 0; i < wanted; ++i) begin_one();
  std::printf("{\"count\": %d, \"bytes\": %.0f}\n", wanted,
              static_cast<double>(live() - before) / wanted);
  for (SSL* ssl : all) SSL_free(ssl);
}
