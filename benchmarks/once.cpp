// SPDX-License-Identifier: BSL-1.0
// Does one operation N times, for what needs a process of its own: callgrind, and memory.
//
//   asyncio_once             lists the operations: LIBRARY:OPERATION, kind, size of a batch
//   asyncio_once NAME N      does one, and prints what it reports
#include "operation.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using bench::Operation;

class Fixed final : public bench::Count {
 public:
  explicit Fixed(std::int64_t total) : left_(total) {}
  void report(const char* name, double value) override { std::printf("%s %.1f\n", name, value); }

 private:
  std::int64_t grant(std::int64_t wanted) override {
    std::int64_t granted = std::min(wanted, left_);
    left_ -= granted;
    return granted;
  }

  std::int64_t left_;
};

const char* kind_of(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::plain:
      return "plain";
    case Operation::Kind::threads:
      return "threads";
    case Operation::Kind::clocked:
      return "clocked";
    case Operation::Kind::memory:
      return "memory";
  }
  return "";
}

std::string full_name(const Operation& operation) {
  return operation.library + ":" + operation.name;
}

}  // namespace

int main(int argc, char** argv) {
  for (auto& operation : bench::operations()) {
    if (argc < 3) {
      std::printf("%s %s %lld\n", full_name(operation).c_str(), kind_of(operation),
                  static_cast<long long>(operation.batch_size));
    } else if (full_name(operation) == argv[1]) {
      Fixed count(std::strtoll(argv[2], nullptr, 10));
      operation.run(count);
      return 0;
    }
  }
  if (argc >= 3) std::fprintf(stderr, "there is no operation %s\n", argv[1]);
  return argc >= 3 ? 2 : 0;
}
