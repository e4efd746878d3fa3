// SPDX-License-Identifier: BSL-1.0
// Streams over TLS, on every backend.
#include "asyncio/tls.hpp"

#include "asyncio/gather.hpp"
#include "asyncio/timeout.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::Connected;
using test::error_of;
using test::pattern;
using test::pki;
using test::read;
using test::settle;
using test::tls_connected;

class TlsTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, TlsTest, test::all_backends, test::backend_name);

TEST_P(TlsTest, A3_1_A3_2_lines_there_and_back) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    both.writer().write("one\n");
    std::string one = co_await both.peer_reader().readline();
    EXPECT_EQ(one, "one\n");
    both.peer_writer().write("two\n");
    std::string two = co_await both.reader().readline();
    EXPECT_EQ(two, "two\n");
    EXPECT_FALSE(both.writer().can_write_eof());
    EXPECT_EQ(test::thrown([&] { both.writer().write_eof(); }),
              "asyncio::RuntimeError: Cannot call write_eof() on a TLS stream");
    both.writer().close();
    std::string end = co_await both.peer_reader().read();
    EXPECT_EQ(end, "");
    EXPECT_TRUE(both.peer_reader().at_eof());
    co_await both.close();
  });
}

}  // namespace
