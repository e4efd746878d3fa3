// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/commands.hpp"
#include "vectordb/cli/output.hpp"
#include "vectordb/cli/output_file.hpp"
#include "vectordb/cli/several.hpp"
#include "vectordb/cli/source.hpp"
#include "vectordb/cli/termination.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/sync.hpp>
#include <asyncio/threads.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace vectordb::cli {

using namespace asyncio;

namespace {

/// A server names a point by its number in the request; the user knows its line. Of a body that is
/// too large the first line is told.
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
  } catch (const TooLarge& refusal) {
    std::string hint = places.size() > 1 ? "; fewer points of a request: --batch" : "";
    throw InputError(places.front(), refusal.what() + hint);
  }
}

/// A file that is put into a collection: readers of it and requests take turns.
class Upload {
 public:
  Upload(AsyncVectorDB& db, const Options& options)
      : db_(db),
        options_(options),
        source_(std::make_shared<Source>(options.file, options.format, options.first_id)),
        bar_("insert", source_->bytes(), options.quiet) {}
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
      bytes_ += batch.bytes;
      bar_.set(done_, bytes_);
    }
  }
  /// Nothing is shown of it from now on.
  void end_bar() { bar_.clear(); }
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
  std::shared_ptr<Source> source_;  // the thread that is in it holds another one
  ProgressBar bar_;
  Lock reading_;
  std::size_t done_ = 0, bytes_ = 0;  // what the server has
};

/// Said also where the input is empty, and before any of it is waited for.
Coro<> expect_collection(AsyncVectorDB& db, const std::string& name) {
  bool exists = co_await db.collection_exists(name);
  if (!exists)
    throw NotFound("insert into '" + name + "': collection '" + name + "' does not exist", 404);
}

void print_inserted(const Options& options, std::size_t count, double seconds) {
  if (options.json) {
    nlohmann::json report;
    report["inserted"] = count;
    report["seconds"] = rounded(seconds);
    return print_json(report);
  }
  char text[64];
  std::snprintf(text, sizeof text, "inserted %zu points in %.2f s\n", count, seconds);
  if (!options.quiet) print(text);
}

}  // namespace

Status insert(AsyncVectorDB& db, const Options& options) {
  Termination termination;
  co_await expect_collection(db, options.collection);
  Upload upload(db, options);
  const Work work = [&] { return upload.work(); };
  auto outcome = co_await capture(several(options.concurrency, work));
  upload.end_bar();
  if (outcome.cancelled())  // the server may have more, of requests that were under way
    std::fprintf(stderr, "vectordb: %zu points were acknowledged before the end\n", upload.done());
  else if (!outcome)
    std::fprintf(stderr, "vectordb: %zu points were inserted before the error\n", upload.done());
  outcome.value();
  print_inserted(options, upload.done(), upload.seconds());
  co_return kDone;
}

Status export_points(AsyncVectorDB& db, const Options& options) {
  std::size_t total = co_await db.count(options.collection);
  OutputFile output(options.file);
  // Not between the lines of the points.
  ProgressBar bar("export", total, options.quiet || output.is_terminal());
  ScrollRequest request;
  request.limit = options.batch;
  request.with_vector = true;
  do {
    ScrollPage page = co_await db.scroll(options.collection, request);
    for (const Record& record : page.points) output.write(to_json(record).dump() + '\n');
    bar.add(page.points.size());
    request.offset = page.next_page_offset;
  } while (request.offset);
  output.close();
  co_return kDone;
}

}  // namespace vectordb::cli
