// SPDX-License-Identifier: BSL-1.0
// Times the operations with Google Benchmark.
#include "operation.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace {

/// Grants what Google Benchmark's state grants, in batches.
class Timed final : public bench::Count {
 public:
  explicit Timed(benchmark::State& state) : state_(state) {}

  void report(const char* name, double value) override { state_.counters[name] = value; }
  std::int64_t done() const noexcept { return done_; }

 private:
  std::int64_t grant(std::int64_t wanted) override {
    if (!state_.KeepRunningBatch(wanted)) return 0;
    done_ += wanted;
    return wanted;
  }

  benchmark::State& state_;
  std::int64_t done_ = 0;
};

void add_benchmark(const bench::Operation& operation) {
  auto run = operation.run;
  auto* added = benchmark::RegisterBenchmark((operation.library + ":" + operation.name).c_str(),
                                             [run](benchmark::State& state) {
                                               Timed count(state);
                                               run(count);
                                               state.SetItemsProcessed(count.done());
                                             });
  if (operation.kind == bench::Operation::Kind::threads) added->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& operation : bench::operations())
    if (operation.kind != bench::Operation::Kind::memory) add_benchmark(operation);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
