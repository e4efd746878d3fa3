// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <unistd.h>

namespace bench {

/// The resident size of this process.
inline double resident_bytes() {
  long total = 0;
  long resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace bench
