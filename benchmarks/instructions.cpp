// SPDX-License-Identifier: BSL-1.0
// Does one operation N times; tools/instructions runs it under callgrind at two values of N.
//
//   asyncio_instructions               lists the operations that can be counted, with the size of
//   their
//                                    batches
//   asyncio_instructions NAME N        NAME is LIBRARY:OPERATION
#include "operation.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

class Fixed final : public bench::Count {
 public:
  explicit Fixed(std::int64_t total) : left_(total) {}
  void report(const char* unit, double value) override { std::printf("%.1f %s\n", value, unit); }

 private:
  std::int64_t grant(std::int64_t wanted) override {
    std::int64_t granted = std::min(wanted, left_);
    left_ -= granted;
    return granted;
  }

  std::int64_t left_;
};

std::string full_name(const bench::Operation& operation) {
  return operation.library + ":" + operation.name;
}

}  // namespace

int main(int argc, char** argv) {
  for (auto& operation : bench::operations()) {
    if (argc < 3) {
      if (operation.countable())
        std::printf("%s %lld\n", full_name(operation).c_str(),
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
