// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "operation.hpp"

#include <cstdint>
#include <cstdio>
#include <unistd.h>

namespace bench {

/// By how much this process has grown since this was made.
class Resident {
 public:
  /// Reports the bytes for each of `objects`.
  void report(Count& count, std::int64_t objects) const {
    count.report("bytes", (bytes() - before_) / static_cast<double>(objects));
  }

 private:
  static double bytes() {
    long total = 0;
    long resident = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
      if (std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
      std::fclose(file);
    }
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }

  double before_ = bytes();
};

}  // namespace bench
