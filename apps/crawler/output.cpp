// SPDX-License-Identifier: BSL-1.0
#include "crawler/output.hpp"

#include <asyncio/exceptions.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace crawler {

using asyncio::throw_os_error;

namespace {

bool is_file(int descriptor) {
  struct stat facts{};
  return ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
}

}  // namespace

Output::Output(const std::string& path) : name_(path.empty() ? "stdout" : path) {
  if (path.empty()) {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_os_error(errno, "open " + path);
  keeps_ = is_file(descriptor_);
  off_t end = ::lseek(descriptor_, 0, SEEK_END);
  size_ = static_cast<std::uint64_t>(std::max<off_t>(end, 0));
}

Output::~Output() {
  if (descriptor_ != STDOUT_FILENO) ::close(descriptor_);
}

bool Output::is_terminal() const noexcept { return ::isatty(descriptor_) == 1; }

void Output::append(std::string_view line) {
  while (!line.empty()) {
    ssize_t written = ::write(descriptor_, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_os_error(errno, "write " + name_);
    line.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
  }
}

void Output::truncate(std::uint64_t size) {
  if (!keeps_ || size == size_) return;
  if (size > size_)
    throw OutputError(name_ + ": has " + std::to_string(size_) +
                      " bytes, and the state says that " + std::to_string(size) +
                      " were written: put that file back, or begin anew with another state");
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) < 0)
    throw_os_error(errno, "truncate " + name_);
  size_ = size;
}

}  // namespace crawler
