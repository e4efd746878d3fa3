// SPDX-License-Identifier: BSL-1.0
/// What the engine throws. Each message names the operation's object and the field or the limit.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace vectordb {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What was asked for makes no sense or goes beyond a limit; nothing was changed.
class InvalidArgument : public Error {
 public:
  /// `field` in the words of the wire: "filter.must[0].range.gt", "points[3].vector".
  InvalidArgument(std::string field, const std::string& problem)
      : Error(field + ": " + problem), field_(std::move(field)) {}
  const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

/// There is no such collection, or it was deleted.
class CollectionNotFound : public Error {
 public:
  explicit CollectionNotFound(const std::string& name)
      : Error("collection '" + name + "' does not exist") {}
};

class CollectionExists : public Error {
 public:
  explicit CollectionExists(const std::string& name)
      : Error("collection '" + name + "' already exists") {}
};

/// A write was for a point that is not there. For the others that it named, it is done.
class PointNotFound : public Error {
 public:
  explicit PointNotFound(const std::string& id) : Error("point " + id + " does not exist") {}
};

/// The disk did not take a write (full, broken). What was acknowledged before is kept, the write
/// that throws this is not in the collection.
class StorageError : public Error {
 public:
  /// what() is "operation path: reason".
  StorageError(const std::string& operation, const std::string& path, int error_number);
  int error_number() const noexcept { return error_number_; }

 private:
  int error_number_;
};

/// A file is not what was written; nothing of it is changed, for an operator to look at.
class CorruptionError : public Error {
 public:
  using Error::Error;
};

}  // namespace vectordb
