// SPDX-License-Identifier: BSL-1.0
#include "http/body_source.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/files.hpp"

#include <utility>

namespace asyncio::http::detail {

namespace {

constexpr std::ptrdiff_t kPieceOfFile = std::ptrdiff_t{64} << 10;

class Pieces final : public BodySource {
 public:
  explicit Pieces(AsyncGenerator<std::string> pieces) : pieces_(std::move(pieces)) {}

  Coro<BodyFraming> begin() override {
    if (std::exchange(begun_, true))
      throw RuntimeError("the pieces of this body were sent before: they cannot be sent again");
    co_return BodyFraming::chunked();
  }
  Coro<std::optional<std::string>> next() override {
    std::optional<std::string> piece = co_await pieces_.next();
    co_return piece;
  }
  bool repeatable() const noexcept override { return false; }

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

 private:
  std::string path_;
  std::optional<File> file_;
  std::uint64_t left_ = 0;
};

}  // namespace

std::shared_ptr<BodySource> source_of(AsyncGenerator<std::string> pieces) {
  return std::make_shared<Pieces>(std::move(pieces));
}

std::shared_ptr<BodySource> source_of_file(std::string path) {
  return std::make_shared<FilePieces>(std::move(path));
}

}  // namespace asyncio::http::detail
