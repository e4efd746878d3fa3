// SPDX-License-Identifier: BSL-1.0
#include "operation.hpp"

namespace bench {

std::vector<Operation>& operations() {
  static std::vector<Operation> all;
  return all;
}

}  // namespace bench
