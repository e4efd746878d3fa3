// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/errors.hpp"

#include <system_error>

namespace vectordb {

StorageError::StorageError(const std::string& operation, const std::string& path, int error_number)
    : Error(operation + " " + path + ": " + std::generic_category().message(error_number)),
      error_number_(error_number) {}

}  // namespace vectordb
