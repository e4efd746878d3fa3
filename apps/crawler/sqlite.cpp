// SPDX-License-Identifier: BSL-1.0
#include "crawler/sqlite.hpp"

#include <sqlite3.h>
#include <utility>

namespace crawler {

Database::Database(std::string path) : path_(std::move(path)) {
  if (sqlite3_open(path_.c_str(), &handle_) == SQLITE_OK) return;
  std::string message = path_ + ": " + sqlite3_errmsg(handle_);
  sqlite3_close(handle_);
  throw DatabaseError(message);
}

Database::~Database() { sqlite3_close(handle_); }

void Database::execute(const char* statements) {
  if (sqlite3_exec(handle_, statements, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::fail() const { throw DatabaseError(path_ + ": " + sqlite3_errmsg(handle_)); }

Statement::Statement(Database& database, std::string_view text) : database_(database) {
  if (sqlite3_prepare_v2(database.handle_, text.data(), static_cast<int>(text.size()), &handle_,
                         nullptr) != SQLITE_OK)
    database.fail();
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int place, std::int64_t value) {
  if (sqlite3_bind_int64(handle_, place, value) != SQLITE_OK) database_.fail();
  return *this;
}

Statement& Statement::bind(int place, std::string_view value) {
  if (sqlite3_bind_text(handle_, place, value.data(), static_cast<int>(value.size()),
                        SQLITE_TRANSIENT) != SQLITE_OK)
    database_.fail();
  return *this;
}

bool Statement::step() {
  int status = sqlite3_step(handle_);
  if (status == SQLITE_ROW) return true;
  sqlite3_reset(handle_);
  if (status != SQLITE_DONE) database_.fail();
  return false;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

std::string Statement::text(int column) const {
  const unsigned char* bytes = sqlite3_column_text(handle_, column);
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
  return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes), size);
}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace crawler
