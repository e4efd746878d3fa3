// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/commands.hpp"
#include "vectordb/cli/output.hpp"
#include "vectordb/cli/source.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/exception_group.hpp>
#include <asyncio/sync.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/threads.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <unistd.h>
#include <utility>

namespace vectordb::cli {

using namespace asyncio;
namespace fs = std::filesystem;

namespace {

/// A server names a point by its number in the request; the user knows its line.
[[noreturn]] void rethrow_with_place(const std::exception_ptr& error,
                                     const std::vector<std::string>& places) {
  try {
    std::rethrow_exception(error);
  } catch (const BadRequest& refusal) {
    std::string text = refusal.what();
    std::size_t at = text.find("points[");
    if (at == std::string::npos) throw;
    std::size_t number = std::strtoul(text.c_str() + at + 7, nullptr, 10);
    throw InputError(number < places.size() ? places[number] : places.front(), text);
  }
}

/// A file that is put into a collection: readers of it and requests take turns.
class Upload {
 public:
  Upload(AsyncVectorDB& db, const Options& options)
      : db_(db),
        options_(options),
        bar_("insert", 0, options.quiet),
        source_(std::make_shared<Source>(options.file, options.format, options.first_id)) {}
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;
  /// After an error a thread may still read, perhaps from a pipe that says nothing: the end of the
  /// program waits for it.
  ~Upload() { source_->stop(); }

  /// One of several at a time.
  Coro<> work() {
    while (true) {
      Batch batch = co_await next_batch();
      std::size_t count = batch.points.size();
      if (count == 0) co_return;
      auto points = std::move(batch.points);
      auto outcome = co_await capture(db_.insert_vectors(options_.collection, std::move(points)));
      if (!outcome) rethrow_with_place(outcome.exception(), batch.places);
      done_ += count;
      bar_.set(done_);
    }
  }
  std::size_t done() const noexcept { return done_; }
  double seconds() const { return bar_.seconds(); }

 private:
  Coro<Batch> next_batch() {
    auto held = co_await reading_.scoped();
    auto batch = co_await to_thread(&Source::batch, source_, options_.batch);
    co_return batch;
  }

  AsyncVectorDB& db_;
  const Options& options_;
  ProgressBar bar_;
  std::shared_ptr<Source> source_;  // the thread that is in it holds another one
  Lock reading_;
  std::size_t done_ = 0;
};

/// The first error, without the group that its task was in.
[[noreturn]] void rethrow_first(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    std::rethrow_exception(group.exceptions().front());
  }
}

/// Standard output, or a file. Only close() puts it in the place of the one of its name: what was
/// there stays if the export fails.
class Output {
 public:
  explicit Output(const std::string& path) : path_(path) {
    if (path == "-") return;
    if (fs::exists(path)) path_ = fs::canonical(path);                         // what a link names
    bool written_in_place = fs::exists(path_) && !fs::is_regular_file(path_);  // /dev/null
    temporary_ = written_in_place ? "" : path_ + ".new";
    file_ = std::fopen(written_in_place ? path_.c_str() : temporary_.c_str(), "w");
    if (!file_) throw OSError(errno, "open " + path_);
  }
  ~Output() {
    if (file_ && file_ != stdout) std::fclose(file_);
    if (file_ && !temporary_.empty()) ::unlink(temporary_.c_str());
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(const std::vector<Record>& records) {
    for (const Record& record : records)
      if (std::fprintf(file_, "%s\n", to_json(record).dump().c_str()) < 0) fail("write to ");
  }
  void close() {
    if (std::fflush(file_) != 0) fail("write to ");
    if (temporary_.empty()) return;
    if (::fsync(::fileno(file_)) != 0) fail("fsync ");
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename ");
    if (std::fclose(std::exchange(file_, nullptr)) != 0) fail("close ");
  }

 private:
  [[noreturn]] void fail(const char* operation) { throw OSError(errno, operation + path_); }

  std::string path_;
  std::string temporary_;  // empty: written in its place
  std::FILE* file_ = stdout;
};

}  // namespace

Status insert(AsyncVectorDB& db, const Options& options) {
  Upload upload(db, options);
  auto all = [&](TaskGroup& group) -> Coro<> {
    for (std::size_t i = 0; i < options.concurrency; ++i) group.create_task(upload.work());
    co_return;
  };
  auto outcome = co_await capture(with(TaskGroup(), all));
  std::size_t done = upload.done();
  if (!outcome) {
    std::fprintf(stderr, "vectordb: %zu points were inserted before the error\n", done);
    rethrow_first(outcome.exception());
  }
  if (!options.quiet) std::printf("inserted %zu points in %.2f s\n", done, upload.seconds());
  co_return kDone;
}

Status export_points(AsyncVectorDB& db, const Options& options) {
  std::size_t total = co_await db.count(options.collection);
  Output output(options.file);
  ProgressBar bar("export", total, options.quiet);
  ScrollRequest request;
  request.limit = options.batch;
  request.with_vector = true;
  do {
    ScrollPage page = co_await db.scroll(options.collection, request);
    output.write(page.points);
    bar.add(page.points.size());
    request.offset = page.next_page_offset;
  } while (request.offset);
  output.close();
  co_return kDone;
}

}  // namespace vectordb::cli
