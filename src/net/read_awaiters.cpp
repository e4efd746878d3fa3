// SPDX-License-Identifier: BSL-1.0
// Order and messages follow asyncio/streams.py, StreamReader.
#include "asyncio/detail/net/read_awaiters.hpp"

#include "asyncio/exceptions.hpp"

#include <algorithm>
#include <utility>

namespace asyncio::detail {

bool ReadSome::enough() noexcept {
  if (count_ < 0) return false;  // everything up to the end
  return count_ == 0 || !reader_->buffer().empty();
}

std::string ReadSome::await_resume() {
  leave();
  if (!enough()) throw_if_failed();
  ByteQueue& buffer = reader_->buffer();
  return buffer.take(count_ < 0 ? buffer.size() : static_cast<std::size_t>(count_));
}

bool ReadInto::enough() noexcept {
  return room_.empty() || received_ > 0 || !reader_->buffer().empty();
}

void ReadInto::give_back() noexcept {
  if (received_ > 0) reader_->buffer().prepend({room_.data(), received_});
}

std::size_t ReadInto::await_resume() {
  leave();
  if (received_ > 0) return received_;
  if (!enough()) throw_if_failed();
  return reader_->buffer().take_into(room_.data(), room_.size());
}

std::size_t ReadMore::await_resume() {
  leave();
  if (!enough()) throw_if_failed();
  return reader_->buffer().size() - had_;
}

bool ReadExactly::enough() noexcept { return reader_->buffer().size() >= count_; }

std::size_t ReadExactly::missing() const noexcept {
  return count_ - std::min(count_, reader_->buffer().size());
}

std::string ReadExactly::await_resume() {
  leave();
  ByteQueue& buffer = reader_->buffer();
  if (buffer.size() >= count_) return buffer.take(count_);
  throw_if_failed();
  throw IncompleteReadError(buffer.take(buffer.size()), count_);
}

UntilWait::UntilWait(Ref<ReaderState> reader, const char* name, std::vector<std::string> separators)
    : ReadWait(std::move(reader), name), more_(std::move(separators)) {
  if (more_.empty()) throw ValueError("Separator should contain at least one element");
  auto by_size = [](const auto& a, const auto& b) { return a.size() < b.size(); };
  auto [shortest, longest] = std::minmax_element(more_.begin(), more_.end(), by_size);
  shortest_ = shortest->size();
  longest_ = longest->size();
}

void UntilWait::consider(std::string_view bytes, const std::string& separator) noexcept {
  std::size_t at = bytes.find(separator, searched_);
  if (at == std::string_view::npos) return;
  std::size_t end = at + separator.size();
  if (found_ == Found::chunk && end >= end_) return;
  found_ = Found::chunk;
  begin_ = at;
  end_ = end;
}

void UntilWait::search() noexcept {
  std::string_view bytes = reader_->buffer().view();
  if (bytes.size() < searched_ + shortest_) return;
  if (more_.empty()) consider(bytes, separator_);
  for (const std::string& separator : more_) consider(bytes, separator);
  if (found_ == Found::chunk) {
    if (begin_ > reader_->limit()) found_ = Found::too_long;
    return;
  }
  searched_ = bytes.size() + 1 - std::min(longest_, bytes.size() + 1);
  if (searched_ > reader_->limit()) {
    begin_ = searched_;
    found_ = Found::nothing_within_limit;
  }
}

void UntilWait::throw_overrun() const {
  throw LimitOverrunError(found_ == Found::too_long
                              ? "Separator is found, but chunk is longer than limit"
                              : "Separator is not found, and chunk exceed the limit",
                          begin_);
}

namespace {

std::string checked_separator(std::string_view separator) {
  if (separator.empty()) throw ValueError("Separator should be at least one-byte string");
  return std::string(separator);
}

std::vector<std::string> checked_separators(std::vector<std::string> separators) {
  for (const std::string& separator : separators) checked_separator(separator);
  return separators;
}

}  // namespace

ReadUntilWait::ReadUntilWait(Ref<ReaderState> reader, const char* name, std::string_view separator)
    : UntilWait(std::move(reader), name, checked_separator(separator)) {}

ReadUntilWait::ReadUntilWait(Ref<ReaderState> reader, const char* name,
                             std::vector<std::string> separators)
    : UntilWait(std::move(reader), name, checked_separators(std::move(separators))) {}

std::size_t ReadUntilWait::size_found() {
  leave();
  ByteQueue& buffer = reader_->buffer();
  if (found() == Found::chunk) return end();
  if (found() != Found::no) throw_overrun();
  throw_if_failed();
  throw IncompleteReadError(buffer.take(buffer.size()), std::nullopt);
}

/// What is too long is dropped, so that the next call does not stumble over it again.
std::string ReadLineWait::take_line() {
  leave();
  ByteQueue& buffer = reader_->buffer();
  if (found() == Found::chunk) return buffer.take(end());
  if (found() == Found::too_long) {
    buffer.drop(end());
    throw ValueError("Separator is found, but chunk is longer than limit");
  }
  if (found() == Found::nothing_within_limit) {
    buffer.clear();
    throw ValueError("Separator is not found, and chunk exceed the limit");
  }
  throw_if_failed();
  return buffer.take(buffer.size());
}

}  // namespace asyncio::detail
