// SPDX-License-Identifier: BSL-1.0
// vectordb_bench PROGRAM CSV [POINTS [DIMENSIONS]]: `PROGRAM serve` through HTTP, and its engine in
// this process, beside plain hnswlib with the same vectors and parameters. Markdown on stdout, how
// far it is on stderr; the curve of recall goes to the file CSV, which tools/plot_recall draws.
#include "curve.hpp"
#include "service.hpp"
#include "vectordb/engine/database.hpp"
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <malloc.h>
#include <optional>
#include <unistd.h>

using namespace asyncio;
using namespace bench;
using vectordb::Collection;
using vectordb::CollectionInfo;
using vectordb::Database;

namespace {

constexpr double kLeastRecall = 0.95;

/// By this process, with malloc: more steady than what is resident, of which much was free before.
std::size_t allocated_bytes() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

void say(const char* what) { std::fprintf(stderr, "vectordb_bench: %s\n", what); }

/// Into an empty folder, through the client.
Coro<> fill(const std::string& program, const std::string& folder, const Setup& setup,
            ServiceFigures& figures) {
  Served server = co_await Served::start(program, folder);
  const std::size_t before = server.resident_bytes();
  figures.inserted_per_second = co_await insert_all(server, setup);
  figures.bytes = (server.resident_bytes() - before) / setup.points.size();
  co_await server.stop();
}

/// The engine, while no server has the folder.
Coro<> measure_engine(const std::string& folder, Plain& plain, const Setup& setup,
                      Figures& figures) {
  Database database = co_await Database::open(folder);
  Collection collection = database.get("bench");
  CollectionInfo info = co_await collection.info();
  figures.index_bytes = info.index_bytes / setup.points.size();
  figures.curve = co_await curve_of(collection, plain, setup);
  co_await database.close();
}

Coro<Figures> measure_all(const std::string& program, const std::string& folder, Setup& setup) {
  Figures figures;
  say("inserts through the client");
  co_await fill(program, folder, setup, figures.service);
  say("builds plain hnswlib");
  const std::size_t before = allocated_bytes();
  const auto begin = SteadyClock::now();
  Plain plain(setup.points, setup.config.hnsw.m, setup.config.hnsw.ef_construct);
  figures.plain_seconds = seconds_since(begin);
  figures.plain_bytes = (allocated_bytes() - before) / setup.points.size();
  say("searches in this process");
  co_await measure_engine(folder, plain, setup, figures);
  say("starts the service again");
  Served server = co_await Served::start(program, folder);
  figures.service.ready_seconds = server.ready_seconds();
  say("searches through the service");
  co_await measure_service(server, plain, setup, figures.service);
  co_await server.stop();
  co_return figures;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: vectordb_bench PROGRAM CSV [POINTS [DIMENSIONS]]\n", stderr);
    return 2;
  }
  const std::size_t count = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 100'000;
  const std::size_t dimensions = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 128;
  const std::string folder =
      std::filesystem::temp_directory_path() / ("vectordb-bench-" + std::to_string(::getpid()));
  say("makes the points, and searches all of them for each query");
  Setup setup(count, dimensions);
  Figures figures;
  run([&]() -> Coro<> { figures = co_await measure_all(argv[1], folder, setup); });
  std::filesystem::remove_all(folder);
  print(setup, figures);
  write_csv(argv[2], figures.curve);
  if (figures.service.recall >= kLeastRecall) return 0;
  std::fprintf(stderr, "vectordb_bench: a recall of %.4f, and %.2f was to be\n",
               figures.service.recall, kLeastRecall);
  return 1;
}
