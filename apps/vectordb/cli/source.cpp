// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/source.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <poll.h>
#include <streambuf>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace vectordb::cli {

/// std::filebuf would wait in read(), which nothing ends: a pipe may say nothing for hours.
class InterruptibleFile final : public std::streambuf {
 public:
  /// `path` is empty for standard input.
  InterruptibleFile(const std::string& path, std::string name)
      : name_(std::move(name)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    if (stop_ < 0) fail("eventfd");
    // O_NONBLOCK: the other end of a FIFO is waited for in poll().
    if (!path.empty()) file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file_ >= 0) return;
    ::close(std::exchange(stop_, -1));
    fail("open");
  }
  InterruptibleFile(const InterruptibleFile&) = delete;
  InterruptibleFile& operator=(const InterruptibleFile&) = delete;
  ~InterruptibleFile() override {
    ::close(stop_);
    if (file_ != STDIN_FILENO) ::close(file_);
  }

  void stop() const noexcept { ::eventfd_write(stop_, 1); }
  /// How much there is to read, if it is no pipe.
  std::optional<std::uint64_t> size() const noexcept {
    struct stat status{};
    if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    const off_t at = ::lseek(file_, 0, SEEK_CUR);
    return at < 0 || at > status.st_size ? 0 : static_cast<std::uint64_t>(status.st_size - at);
  }
  /// How much was taken out of it by now.
  std::size_t taken() const noexcept { return read_ - static_cast<std::size_t>(egptr() - gptr()); }

 protected:
  int_type underflow() override {
    ssize_t count = 0;
    do {
      if (!wait()) return traits_type::eof();
      count = ::read(file_, bytes_.data(), bytes_.size());
    } while (count < 0 && (errno == EINTR || errno == EAGAIN));
    if (count < 0) fail("read");
    if (count == 0) return traits_type::eof();
    read_ += static_cast<std::size_t>(count);
    setg(bytes_.data(), bytes_.data(), bytes_.data() + count);
    return traits_type::to_int_type(bytes_[0]);
  }

 private:
  /// Until there is something to read, or the end. Returns: false after stop().
  bool wait() const {
    std::array<::pollfd, 2> both{{{file_, POLLIN, 0}, {stop_, POLLIN, 0}}};
    while (::poll(both.data(), both.size(), -1) < 0)
      if (errno != EINTR) fail("poll");
    return both[1].revents == 0;
  }

  [[noreturn]] void fail(const char* operation) const {
    std::string reason = std::generic_category().message(errno);
    throw InputError(name_, std::string(operation) + ": " + reason);
  }

  std::string name_;
  int stop_;
  int file_ = STDIN_FILENO;
  std::size_t read_ = 0;
  std::array<char, std::size_t{64} << 10> bytes_;
};

Source::Source(const std::string& file, std::string format, std::uint64_t first_id)
    : name_(file == "-" ? "standard input" : file),
      format_(format.empty() ? format_of(file) : std::move(format)),
      first_id_(first_id),
      file_(std::make_unique<InterruptibleFile>(file == "-" ? "" : file, name_)),
      bytes_(file_->size()),
      input_(file_.get()) {
  input_.exceptions(std::ios::badbit);  // throws what underflow() threw
}

Source::~Source() = default;

Batch Source::batch(std::size_t count) {
  const std::size_t before = file_->taken();
  if (!reader_) reader_ = read_points(input_, name_, format_, first_id_, bytes_);
  Batch batch = reader_->batch(count);
  batch.bytes = file_->taken() - before;
  return batch;
}

void Source::stop() noexcept { file_->stop(); }

}  // namespace vectordb::cli
