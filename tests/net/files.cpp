// SPDX-License-Identifier: BSL-1.0
/// Asynchronous files: by the kernel on io_uring, by threads elsewhere.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

using namespace asyncio;
using namespace std::chrono_literals;
using test::error_of;
using test::pattern;

namespace {

/// With a folder for the files.
class Files : public test::BackendTest {
 protected:
  std::string path(const std::string& name = "file") const { return folder_.file(name); }

 private:
  test::Folder folder_;
};

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_P(Files, write_then_read) {
  std::string name = path();
  run([&]() -> Coro<> {
    std::string content = pattern(3 << 20);
    File out = co_await open_file(name, "w");
    EXPECT_EQ(out.path(), name);
    co_await out.write(content.substr(0, 1000));
    co_await out.write("");
    co_await out.write(content.substr(1000));
    EXPECT_EQ(out.tell(), content.size());
    co_await out.fsync();
    FileStatus status = co_await out.stat();
    EXPECT_EQ(status.size(), content.size());
    EXPECT_TRUE(status.is_regular());
    EXPECT_FALSE(status.is_directory());
    struct stat real{};
    EXPECT_EQ(::stat(name.c_str(), &real), 0);
    EXPECT_EQ(status.inode(), real.st_ino);
    EXPECT_EQ(status.mode(), real.st_mode);
    EXPECT_EQ(std::chrono::system_clock::to_time_t(status.modified()), real.st_mtime);
    out.close();
    EXPECT_EQ(out.fileno(), -1);

    File in = co_await open_file(name);
    std::string begin = co_await in.read(10);
    EXPECT_EQ(begin, content.substr(0, 10));
    std::string rest = co_await in.read();
    EXPECT_TRUE(begin + rest == content);
    std::string end = co_await in.read();
    EXPECT_EQ(end, "");
    end = co_await in.read(10);
    EXPECT_EQ(end, "");
    in.seek(5);
    std::string part = co_await in.read(5);
    EXPECT_EQ(part, content.substr(5, 5));
  });
}

TEST_P(Files, elsewhere_than_at_the_position) {
  std::string name = path();
  run([&]() -> Coro<> {
    File file = co_await open_file(name, "w+");
    std::string content = pattern(400'000);
    auto write_part = [&](std::size_t at) -> Coro<> {
      co_await file.write_at(at, content.substr(at, 100'000));
    };
    co_await gather(write_part(300'000), write_part(0), write_part(200'000), write_part(100'000));
    EXPECT_EQ(file.tell(), 0u);
    auto [first, second] = co_await gather(file.read_at(100'000, 50'000), file.read_at(0, 100'000));
    EXPECT_TRUE(first == content.substr(100'000, 50'000));
    EXPECT_TRUE(second == content.substr(0, 100'000));
    std::string all = co_await file.read();
    EXPECT_TRUE(all == content);
  });
}

TEST_P(Files, modes_and_errors) {
  std::string name = path();
  run([&]() -> Coro<> {
    std::string error = co_await error_of(open_file(name));
    EXPECT_EQ(error, "asyncio::FileNotFoundError: open " + name + ": No such file or directory");
    {
      File made = co_await open_file(name, "xb");
      co_await made.write("one");
      error = co_await error_of(made.read());
      EXPECT_EQ(error, "asyncio::OSError: read " + name + ": Bad file descriptor");
    }
    error = co_await error_of(open_file(name, "x"));
    EXPECT_EQ(error, "asyncio::FileExistsError: open " + name + ": File exists");
    File more = co_await open_file(name, "a");
    co_await more.write(" two");
    more.close();
    error = co_await error_of(more.write("three"));
    EXPECT_EQ(error, "asyncio::RuntimeError: the file is closed: " + name);
    EXPECT_EQ(content_of(name), "one two");
    File both = co_await open_file(name, "r+");
    co_await both.write("ONE");
    std::string rest = co_await both.read();
    EXPECT_EQ(rest, " two");
    error = co_await error_of(open_file(name, "q"));
    EXPECT_EQ(error, "asyncio::ValueError: invalid mode: 'q'");
    error = co_await error_of(open_file(std::string("a\0b", 3)));
    EXPECT_EQ(error, "asyncio::ValueError: embedded null byte");
    std::string folder = std::filesystem::path(name).parent_path();
    for (const char* mode : {"r", "r+", "w", "a"}) {
      error = co_await error_of(open_file(folder, mode));
      EXPECT_EQ(error, "asyncio::IsADirectoryError: open " + folder + ": Is a directory") << mode;
    }
  });
}

TEST_P(Files, fault188_disk_full) {
  run([]() -> Coro<> {
    File full = co_await open_file("/dev/full", "w");
    std::string error = co_await error_of(full.write("x"));
    EXPECT_EQ(error, "asyncio::OSError: write /dev/full: No space left on device");
    EXPECT_EQ(full.tell(), 0u);
  });
}

TEST_P(Files, R16_two_reads_at_the_position) {
  std::string name = path();
  run([&]() -> Coro<> {
    File file = co_await open_file(name, "w+");
    auto write_one = [&]() -> Coro<> { co_await file.write("data"); };
    Task<> writing = create_task(write_one);
    co_await sleep(0s);
    std::string error = co_await error_of(file.read());
    EXPECT_EQ(error,
              "asyncio::RuntimeError: another read or write at the position is under way: " + name);
    co_await writing;
    file.seek(0);
    std::string data = co_await file.read();
    EXPECT_EQ(data, "data");
  });
}

TEST_P(Files, R3_cancelled_at_every_moment) {
  std::string name = path();
  std::ofstream(name) << pattern(1 << 20);
  run([&]() -> Coro<> {
    auto read_all = [&]() -> Coro<std::size_t> {
      File file = co_await open_file(name);
      std::string bytes = co_await file.read();
      co_return bytes.size();
    };
    for (int hops = 0; hops < 20; ++hops) {
      Task<std::size_t> task = create_task(read_all);
      for (int i = 0; i < hops; ++i) co_await sleep(0s);
      bool requested = task.cancel();
      std::string error = co_await error_of(task);
      EXPECT_EQ(error, requested ? "cancelled" : "nothing");
    }
    File file = co_await open_file(name);
    Task<std::string> reading = create_task(file.read());
    co_await sleep(0s);
    reading.cancel();
    co_await error_of(reading);
    EXPECT_EQ(file.tell(), 0u);
    std::string bytes = co_await file.read();
    EXPECT_EQ(bytes.size(), 1u << 20);
    co_await get_running_loop().shutdown_default_executor();  // for what threads have open
  });
}

TEST_P(Files, with_closes) {
  std::string name = path();
  run([&]() -> Coro<> {
    File file = co_await open_file(name, "w");
    co_await with(file, [&](File& opened) -> Coro<> { co_await opened.write("inside"); });
    EXPECT_EQ(file.fileno(), -1);
    EXPECT_EQ(content_of(name), "inside");
  });
}

INSTANTIATE_TEST_SUITE_P(Backends, Files, test::all_backends, test::backend_name);

}  // namespace
