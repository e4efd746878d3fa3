// SPDX-License-Identifier: BSL-1.0
/// What the client throws. Each message names the operation and its collection, and has the
/// server's words: "search 'documents': collection 'documents' does not exist".
#pragma once

#include "vectordb/engine/errors.hpp"

namespace vectordb {

/// The server did not do what was asked.
class ServiceError : public Error {
 public:
  ServiceError(const std::string& message, int status) : Error(message), status_(status) {}
  /// HTTP's; 0 if there was no answer.
  int status() const noexcept { return status_; }

 private:
  int status_;
};

/// There is no such collection or point: 404.
class NotFound final : public ServiceError {
 public:
  using ServiceError::ServiceError;
};

/// There is such a collection already: 409.
class AlreadyExists final : public ServiceError {
 public:
  using ServiceError::ServiceError;
};

/// What was asked for makes no sense: 400, 422.
class BadRequest : public ServiceError {
 public:
  using ServiceError::ServiceError;
};

/// A vector has not as many dimensions as the collection.
class DimensionMismatch final : public BadRequest {
 public:
  using BadRequest::BadRequest;
};

/// The API key is missing or wrong: 401, 403.
class Unauthorized final : public ServiceError {
 public:
  using ServiceError::ServiceError;
};

/// The body is more than the server takes: 413.
class TooLarge final : public ServiceError {
 public:
  using ServiceError::ServiceError;
};

/// There was no answer: no connection, or none in time; or the server is not ready (it reads its
/// data, say, or ends): 503. After all retries.
class Unavailable final : public ServiceError {
 public:
  using ServiceError::ServiceError;
};

/// Throws: the one that fits `status`.
[[noreturn]] void throw_service_error(const std::string& message, int status);

}  // namespace vectordb
