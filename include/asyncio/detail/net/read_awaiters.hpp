// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/net/reader_state.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::detail {

class [[nodiscard("co_await it")]] ReadSome final : public ReadWait {
 public:
  ReadSome(Ref<ReaderState> reader, std::ptrdiff_t count) noexcept
      : ReadWait(std::move(reader), "read"), count_(count) {}
  std::string await_resume();

 private:
  bool enough() noexcept override;
  std::size_t missing() const noexcept override {
    return count_ < 0 ? static_cast<std::size_t>(-1) : 1;
  }

  std::ptrdiff_t count_;
};

class [[nodiscard("co_await it")]] ReadInto final : public ReadWait {
 public:
  ReadInto(Ref<ReaderState> reader, std::span<char> room) noexcept
      : ReadWait(std::move(reader), "read_into"), room_(room) {}
  std::size_t await_resume();

 private:
  bool enough() noexcept override;
  std::span<char> target() noexcept override { return room_; }
  void received(std::size_t count) noexcept override { received_ = count; }
  void give_back() noexcept override;

  std::span<char> room_;
  std::size_t received_ = 0;
};

/// Waits for more bytes than there are, and leaves all in the buffer.
class [[nodiscard("co_await it")]] ReadMore final : public ReadWait {
 public:
  explicit ReadMore(Ref<ReaderState> reader) noexcept
      : ReadWait(std::move(reader), "read"), had_(reader_->buffer().size()) {}
  /// How many have come; 0 at the end of the stream.
  std::size_t await_resume();

 private:
  bool enough() noexcept override { return reader_->buffer().size() > had_; }

  std::size_t had_;
};

class [[nodiscard("co_await it")]] ReadExactly final : public ReadWait {
 public:
  ReadExactly(Ref<ReaderState> reader, std::size_t count) noexcept
      : ReadWait(std::move(reader), "readexactly"), count_(count) {}
  std::string await_resume();

 private:
  bool enough() noexcept override;
  std::size_t missing() const noexcept override;

  std::size_t count_;
};

/// The search for a separator, which goes on where it stopped when more bytes have come.
class UntilWait : public ReadWait {
 protected:
  UntilWait(Ref<ReaderState> reader, const char* name, std::string separator) noexcept
      : ReadWait(std::move(reader), name), separator_(std::move(separator)) {}
  UntilWait(Ref<ReaderState> reader, const char* name, std::vector<std::string> separators);
  UntilWait(UntilWait&&) noexcept = default;
  ~UntilWait() = default;

  /// Where the search has come to.
  enum class Found : unsigned char { no, chunk, too_long, nothing_within_limit };

  Found found() const noexcept { return found_; }
  std::size_t begin() const noexcept { return begin_; }  // of the separator; or how far it is not
  std::size_t end() const noexcept { return end_; }
  void search() noexcept;
  [[noreturn]] void throw_overrun() const;

 private:
  bool enough() noexcept final {
    if (found_ == Found::no) search();
    return found_ != Found::no;
  }
  void consider(std::string_view bytes, const std::string& separator) noexcept;

  std::string separator_;          // the only one,
  std::vector<std::string> more_;  // or all of them, if there are several
  std::size_t shortest_ = separator_.size();
  std::size_t longest_ = separator_.size();
  std::size_t searched_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Found found_ = Found::no;
};

class ReadUntilWait : public UntilWait {
 protected:
  ReadUntilWait(Ref<ReaderState> reader, const char* name, std::string_view separator);
  ReadUntilWait(Ref<ReaderState> reader, const char* name, std::vector<std::string> separators);
  ReadUntilWait(ReadUntilWait&&) noexcept = default;
  ~ReadUntilWait() = default;
  /// How many bytes to take; throws if there is no end to them.
  std::size_t size_found();
};

class [[nodiscard("co_await it")]] ReadUntil final : public ReadUntilWait {
 public:
  template <class Separator>
  ReadUntil(Ref<ReaderState> reader, Separator&& separator)
      : ReadUntilWait(std::move(reader), "readuntil", std::forward<Separator>(separator)) {}
  std::string await_resume() {
    std::size_t size = size_found();
    return reader_->buffer().take(size);
  }
};

class [[nodiscard("co_await it")]] ReadUntilView final : public ReadUntilWait {
 public:
  template <class Separator>
  ReadUntilView(Ref<ReaderState> reader, Separator&& separator)
      : ReadUntilWait(std::move(reader), "readuntil_view", std::forward<Separator>(separator)) {}
  std::string_view await_resume() {
    std::size_t size = size_found();
    return reader_->buffer().lend(size);
  }
};

class ReadLineWait : public UntilWait {
 protected:
  explicit ReadLineWait(Ref<ReaderState> reader, const char* name) noexcept
      : UntilWait(std::move(reader), name, "\n") {}
  ReadLineWait(ReadLineWait&&) noexcept = default;
  ~ReadLineWait() = default;
  std::string take_line();
};

class [[nodiscard("co_await it")]] ReadLine final : public ReadLineWait {
 public:
  explicit ReadLine(Ref<ReaderState> reader) noexcept
      : ReadLineWait(std::move(reader), "readline") {}
  std::string await_resume() { return take_line(); }
};

class [[nodiscard("co_await it")]] NextLine final : public ReadLineWait {
 public:
  explicit NextLine(Ref<ReaderState> reader) noexcept
      : ReadLineWait(std::move(reader), "readline") {}
  std::optional<std::string> await_resume() {
    std::string line = take_line();
    if (line.empty()) return std::nullopt;
    return line;
  }
};

}  // namespace asyncio::detail
