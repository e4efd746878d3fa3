// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/database.hpp"

#include "vectordb/engine/database_engine.hpp"
#include "vectordb/engine/errors.hpp"
#include <asyncio/eventloop.hpp>
#include <asyncio/threads.hpp>

#include <utility>

namespace vectordb {

using namespace asyncio;

Database::Database(std::shared_ptr<DatabaseEngine> engine) : engine_(std::move(engine)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() {
  if (engine_) engine_->close();
}

namespace {

/// Exists as long as somebody awaits the opening.
struct Awaited {};

/// In the thread that opens: brings what it is told to `callback`, in the loop; ends the thread's
/// work, by throwing, when nobody awaits it any more.
class Reporting {
 public:
  Reporting(ProgressCallback callback, std::weak_ptr<Awaited> awaited)
      : loop_(get_running_loop()), callback_(std::move(callback)), awaited_(std::move(awaited)) {}

  void operator()(const Progress& progress) {
    if (awaited_.expired()) throw Error("opening the data base was cancelled");
    if (!callback_) return;
    auto tell = [callback = callback_, awaited = awaited_, progress] {
      if (!awaited.expired()) callback(progress);
    };
    loop_.call_soon_threadsafe(tell);
  }

 private:
  EventLoop loop_;
  ProgressCallback callback_;
  std::weak_ptr<Awaited> awaited_;
};

}  // namespace

Coro<Database> Database::open(std::string folder, DatabaseOptions options) {
  auto awaited = std::make_shared<Awaited>();
  ProgressCallback report = Reporting(options.progress(), awaited);
  auto job = [folder = std::move(folder), options, report = std::move(report)] {
    auto engine = std::make_shared<DatabaseEngine>(folder, options);
    engine->load(report);
    return engine;
  };
  std::shared_ptr<DatabaseEngine> engine = co_await to_thread(job);
  co_return Database(std::move(engine));
}

Coro<Collection> Database::create(std::string name, CollectionConfig config) {
  auto job = [engine = engine_, name = std::move(name), config] {
    return engine->create(name, config);
  };
  co_return Collection(co_await to_thread(job));
}

Coro<> Database::erase(std::string name) {
  auto job = [engine = engine_, name = std::move(name)] { engine->erase(name); };
  co_await to_thread(job);
}

Collection Database::get(const std::string& name) const { return Collection(engine_->get(name)); }

bool Database::contains(const std::string& name) const { return engine_->contains(name); }

std::vector<std::string> Database::list() const { return engine_->list(); }

Metrics Database::metrics() const { return engine_->metrics(); }

Coro<> Database::close() {
  auto job = [engine = engine_] { engine->close(); };
  co_await to_thread(job);
}

}  // namespace vectordb
