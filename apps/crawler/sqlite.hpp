// SPDX-License-Identifier: BSL-1.0
/// As much of SQLite as the frontier needs.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace crawler {

/// The file, and SQLite's words.
class DatabaseError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One data base file. For one thread at a time.
class Database {
 public:
  /// Throws: DatabaseError, here and below.
  explicit Database(std::string path);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  void execute(const char* statements);
  [[noreturn]] void fail() const;

 private:
  friend class Statement;
  friend class Transaction;

  std::string path_;
  sqlite3* handle_ = nullptr;
};

/// A prepared statement.
class Statement {
 public:
  Statement(Database& database, std::string_view text);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// The parameters are numbered from 1.
  Statement& bind(int place, std::int64_t value);
  Statement& bind(int place, std::string_view value);
  /// Whether there is a row; at the end it can be bound and run again.
  bool step();
  /// Runs it to its end.
  void run() {
    while (step()) {
    }
  }
  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Rolled back unless it is committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.execute("BEGIN"); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace crawler
