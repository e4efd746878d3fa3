// SPDX-License-Identifier: BSL-1.0
// Forms whose files are not in memory: they are read from the disk, or come from a generator, while
// they are sent.
#include "allocation_count.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/exceptions.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "folder.hpp"
#include "served.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientResponse;
using http::ClientSession;
using http::FormData;
using http::RequestOptions;
using http::SessionOptions;
using test::error_of;
using test::Folder;
using test::pattern;
using test::Served;

namespace {

/// How many bytes came, and a sum of them (FNV-1a).
class Digest {
 public:
  void add(std::string_view bytes) {
    size_ += bytes.size();
    for (char byte : bytes)
      sum_ = (sum_ ^ static_cast<unsigned char>(byte)) * std::uint64_t{1099511628211};
  }
  std::string text() const { return std::to_string(size_) + ":" + std::to_string(sum_) + ";"; }

 private:
  std::size_t size_ = 0;
  std::uint64_t sum_ = 14695981039346656037u;
};

std::string digest_of(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.text();
}

/// What the server says of a file.
std::string file(const std::string& name, const std::string& filename, std::string_view bytes) {
  return name + ":" + filename + ":" + digest_of(bytes);
}

std::string framing_of(const web::Request& request) {
  return request.content_length() ? "counted;" : "chunked;";
}

/// How the body was framed, and each part of the form.
Coro<web::Response> tell(web::Request& request) {
  std::string seen = framing_of(request);
  web::MultipartReader parts = request.multipart();
  while (auto part = co_await parts.next()) {
    Digest digest;
    while (true) {
      std::string_view piece = co_await part->read_some();
      if (piece.empty()) break;
      digest.add(piece);
    }
    seen.append(part->name()).append(":").append(part->filename().value_or("-"));
    seen.append(":").append(digest.text());
  }
  co_return web::Response(seen);
}

Coro<web::Response> tell_raw(web::Request& request) {
  std::string body = co_await request.read();
  co_return web::Response(digest_of(body));
}

web::Application application() {
  web::Application app;
  app.post("/", tell).put("/raw", tell_raw);
  app.post("/moved", [](web::Request&) -> Coro<web::Response> {
    throw web::HTTPTemporaryRedirect("/");
    co_return web::Response();
  });
  return app;
}

Coro<std::string> post(ClientSession session, RequestOptions options, std::string path = "/") {
  ClientResponse response = co_await session.post(path, std::move(options));
  std::string text = co_await response.text();
  co_return text;
}

Coro<std::string> put_raw(ClientSession session, RequestOptions options) {
  ClientResponse response = co_await session.put("/raw", std::move(options));
  std::string text = co_await response.text();
  co_return text;
}

RequestOptions with_form(const FormData& form) { return RequestOptions().data(form); }

AsyncGenerator<std::string> in_pieces(std::string bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += 7000) {
    co_await sleep(0s);
    co_yield bytes.substr(at, 7000);
  }
}

class ClientForms : public test::BackendTest {
 protected:
  /// Runs `body(ClientSession)` with a server.
  template <class F>
  void with_site(F body) {
    run([&]() -> Coro<> {
      Served served = co_await test::serve(application());
      ClientSession session(SessionOptions().base_url(served.url()));
      auto outcome = co_await capture(body(session));
      session.close();
      co_await served.cleanup();
      outcome.value();
    });
  }

  Folder folder_;
  const std::string content_ = pattern(200'000);
};
INSTANTIATE_TEST_SUITE_P(Backends, ClientForms, test::real_backends, test::backend_name);

TEST_P(ClientForms, D13_files_come_from_the_disk_and_have_a_length) {
  const std::string path = folder_.write("a b.bin", content_);
  const std::string empty = folder_.write("empty", "");
  with_site([&](ClientSession session) -> Coro<> {
    FormData form;
    form.add_field("first", "1").add_path("f", path).add_file("g", "in memory", "g.txt");
    form.add_path("h", path, "other.txt", "text/plain").add_path("e", empty);
    std::string seen = co_await post(session, with_form(form));
    EXPECT_EQ(seen, "counted;" + file("first", "-", "1") + file("f", "a b.bin", content_) +
                        file("g", "g.txt", "in memory") + file("h", "other.txt", content_) +
                        file("e", "empty", ""));
  });
}

TEST_P(ClientForms, D13_files_come_from_a_generator_and_are_sent_in_chunks) {
  const std::string path = folder_.write("f.bin", content_);
  with_site([&](ClientSession session) -> Coro<> {
    FormData form;
    form.add_path("f", path).add_file("g", in_pieces(content_), "g.bin").add_field("last", "1");
    std::string seen = co_await post(session, with_form(form));
    EXPECT_EQ(seen, "chunked;" + file("f", "f.bin", content_) + file("g", "g.bin", content_) +
                        file("last", "-", "1"));
    // The generator is at its end, and the file before it is not begun again.
    std::string error = co_await error_of(post(session, with_form(form)));
    EXPECT_NE(error.find("RuntimeError: the pieces of this body were sent before"),
              std::string::npos)
        << error;
  });
}

TEST_P(ClientForms, D13_a_redirect_sends_a_file_again_and_cannot_do_it_with_a_generator) {
  const std::string path = folder_.write("f.bin", content_);
  with_site([&](ClientSession session) -> Coro<> {
    FormData form;
    form.add_path("f", path);
    std::string seen = co_await post(session, with_form(form), "/moved");
    EXPECT_EQ(seen, "counted;" + file("f", "f.bin", content_));
    form.add_file("g", in_pieces(content_), "g.bin");
    std::string error = co_await error_of(post(session, with_form(form), "/moved"));
    EXPECT_NE(error.find("ClientPayloadError"), std::string::npos) << error;
    EXPECT_NE(error.find("cannot be sent again"), std::string::npos) << error;
  });
}

/// Each has its own place in the file.
TEST_P(ClientForms, D13_the_same_options_for_many_requests_at_once) {
  const std::string path = folder_.write("f.bin", content_);
  with_site([&](ClientSession session) -> Coro<> {
    FormData form;
    form.add_path("f", path);
    const RequestOptions of_form = with_form(form);
    RequestOptions of_file;
    of_file.file(path);
    std::vector<Coro<std::string>> forms, files;
    for (int i = 0; i < 8; ++i) forms.push_back(post(session, of_form));
    for (int i = 0; i < 8; ++i) files.push_back(put_raw(session, of_file));
    std::vector<std::string> seen = co_await gather(std::move(forms));
    for (const std::string& one : seen) EXPECT_EQ(one, "counted;" + file("f", "f.bin", content_));
    seen = co_await gather(std::move(files));
    for (const std::string& one : seen) EXPECT_EQ(one, digest_of(content_));
  });
}

TEST_P(ClientForms, D13_what_is_wrong_with_a_file_is_an_error_of_the_request) {
  with_site([&](ClientSession session) -> Coro<> {
    FormData missing;
    missing.add_field("a", "1").add_path("f", folder_.file("none"));
    std::string error = co_await error_of(post(session, with_form(missing)));
    EXPECT_NE(error.find("FileNotFoundError"), std::string::npos) << error;
    EXPECT_NE(error.find(folder_.file("none")), std::string::npos) << error;
    FormData directory;
    directory.add_path("f", folder_.path());
    error = co_await error_of(post(session, with_form(directory)));
    EXPECT_NE(error.find(folder_.path()), std::string::npos) << error;
    FormData broken;
    auto begins = []() -> AsyncGenerator<std::string> {
      co_yield "begin";
      throw LookupError("no more");
    };
    broken.add_file("f", begins(), "f");
    error = co_await error_of(post(session, with_form(broken)));
    EXPECT_NE(error.find("LookupError: no more"), std::string::npos) << error;
    EXPECT_THROW(broken.body(), ValueError);
    EXPECT_THROW(broken.add_path("f", "path", "f", "a\r\nb"), ValueError);
    std::string seen = co_await post(session, with_form(FormData().add_field("a", "1")));
    EXPECT_EQ(seen, "counted;" + file("a", "-", "1"));
  });
}

TEST(ClientFormsMemory, D13_a_file_is_never_in_memory) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "nothing is counted";
  constexpr int kPieces = 32;
  const std::string piece = pattern(1 << 20);
  Folder folder;
  Digest digest;
  std::ofstream large(folder.file("large"), std::ios::binary);
  for (int i = 0; i < kPieces; ++i) {
    large << piece;
    digest.add(piece);
  }
  large.close();
  run([&]() -> Coro<> {
    Served served = co_await test::serve(application());
    ClientSession session(SessionOptions().base_url(served.url()));
    test::AllocationCount count;
    FormData form;
    form.add_path("f", folder.file("large"));
    std::string seen = co_await post(session, with_form(form));
    EXPECT_EQ(seen, "counted;f:large:" + digest.text());
    EXPECT_LT(count.peak_bytes(), 4 << 20) << "of " << kPieces << " MiB, with the server's";
    session.close();
    co_await served.cleanup();
  });
}

}  // namespace
