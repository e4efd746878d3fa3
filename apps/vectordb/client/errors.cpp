// SPDX-License-Identifier: BSL-1.0
#include "vectordb/client/errors.hpp"

namespace vectordb {

namespace {

/// Qdrant says "Wrong input: Vector dimension error: expected dim: 4, got 3", this server
/// "points[0].vector: 3 dimensions, the collection has 4".
bool is_about_dimensions(const std::string& message) {
  return message.find("Vector dimension error") != std::string::npos ||
         message.find("dimensions, the collection has ") != std::string::npos;
}

}  // namespace

void throw_service_error(const std::string& message, int status) {
  switch (status) {
    case 0:
    case 503:
      throw Unavailable(message, status);
    case 400:
    case 422:
      if (is_about_dimensions(message)) throw DimensionMismatch(message, status);
      throw BadRequest(message, status);
    case 401:
    case 403:
      throw Unauthorized(message, status);
    case 404:
      throw NotFound(message, status);
    case 409:
      throw AlreadyExists(message, status);
    case 413:
      throw TooLarge(message, status);
    default:
      throw ServiceError(message, status);
  }
}

}  // namespace vectordb
