// SPDX-License-Identifier: BSL-1.0
#include "http/body_source.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/files.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace asyncio::http::detail {

namespace {

constexpr std::ptrdiff_t kPieceOfFile = std::ptrdiff_t{64} << 10;
constexpr const char* kSentBefore =
    "the pieces of this body were sent before: they cannot be sent again";

class Pieces final : public BodySource {
 public:
  explicit Pieces(AsyncGenerator<std::string> pieces) : pieces_(std::move(pieces)) {}

  Coro<BodyFraming> begin() override {
    if (std::exchange(begun_, true)) throw RuntimeError(kSentBefore);
    co_return BodyFraming::chunked();
  }
  Coro<std::optional<std::string>> next() override {
    std::optional<std::string> piece = co_await pieces_.next();
    co_return piece;
  }
  bool repeatable() const noexcept override { return false; }
  std::shared_ptr<BodySource> copy() const override { return nullptr; }

 private:
  AsyncGenerator<std::string> pieces_;
  bool begun_ = false;
};

class FilePieces final : public BodySource {
 public:
  explicit FilePieces(std::string path) : path_(std::move(path)) {}

  Coro<BodyFraming> begin() override {
    file_ = co_await open_file(path_);
    FileStatus status = co_await file_->stat();
    if (!status.is_regular()) throw ValueError(path_ + ": no regular file");
    left_ = status.size();
    co_return BodyFraming::of_length(left_);
  }
  /// What the file has grown by meanwhile is no part of the body. Its end is known without another
  /// read: an answer before that would find the upload unfinished, and end the connection.
  Coro<std::optional<std::string>> next() override {
    std::string piece;
    if (left_ > 0) piece = co_await file_->read(kPieceOfFile);
    if (piece.size() > left_) piece.resize(static_cast<std::size_t>(left_));
    left_ -= piece.size();
    if (!piece.empty()) co_return std::move(piece);
    file_->close();
    co_return std::nullopt;
  }
  bool repeatable() const noexcept override { return true; }
  std::shared_ptr<BodySource> copy() const override { return std::make_shared<FilePieces>(path_); }

 private:
  std::string path_;
  std::optional<File> file_;
  std::uint64_t left_ = 0;
};

/// Texts and sources by turns. All sources begin at once: then the length is known, if they know
/// theirs.
class Parts final : public BodySource {
 public:
  using All = std::vector<std::pair<std::string, std::shared_ptr<BodySource>>>;

  Parts(All parts, std::string end) : parts_(std::move(parts)), end_(std::move(end)) {}

  Coro<BodyFraming> begin() override {
    // Not only by the source that refuses it: those before that one would have begun again, under
    // the request that sends them.
    if (std::exchange(begun_, true) && !repeatable()) throw RuntimeError(kSentBefore);
    at_ = 0;
    inside_ = ended_ = false;
    bool counted = true;
    std::uint64_t length = end_.size();
    for (auto& [before, source] : parts_) {
      BodyFraming framing = co_await source->begin();
      if (framing.kind() == BodyFraming::Kind::chunked) counted = false;
      length += before.size() + framing.length();
    }
    if (!counted) co_return BodyFraming::chunked();
    co_return BodyFraming::of_length(length);
  }
  Coro<std::optional<std::string>> next() override {
    for (; at_ < parts_.size(); ++at_) {
      if (!std::exchange(inside_, true)) co_return parts_[at_].first;
      std::optional<std::string> piece = co_await parts_[at_].second->next();
      if (piece) co_return piece;
      inside_ = false;
    }
    if (std::exchange(ended_, true)) co_return std::nullopt;
    co_return end_;
  }
  bool repeatable() const noexcept override {
    return std::ranges::all_of(parts_, [](auto& part) { return part.second->repeatable(); });
  }
  std::shared_ptr<BodySource> copy() const override {
    if (!repeatable()) return nullptr;
    All parts;
    for (const auto& [before, source] : parts_) parts.emplace_back(before, source->copy());
    return std::make_shared<Parts>(std::move(parts), end_);
  }

 private:
  All parts_;
  std::string end_;
  std::size_t at_ = 0;
  bool begun_ = false;
  bool inside_ = false;  // of the source: the text before it is sent
  bool ended_ = false;
};

}  // namespace

std::shared_ptr<BodySource> source_of(AsyncGenerator<std::string> pieces) {
  return std::make_shared<Pieces>(std::move(pieces));
}

std::shared_ptr<BodySource> source_of_file(std::string path) {
  return std::make_shared<FilePieces>(std::move(path));
}

std::shared_ptr<BodySource> source_of_parts(
    std::vector<std::pair<std::string, std::shared_ptr<BodySource>>> parts, std::string end) {
  return std::make_shared<Parts>(std::move(parts), std::move(end));
}

std::shared_ptr<BodySource> own_source(const std::shared_ptr<BodySource>& source) {
  if (!source) return nullptr;
  auto copy = source->copy();
  return copy ? copy : source;
}

}  // namespace asyncio::http::detail
