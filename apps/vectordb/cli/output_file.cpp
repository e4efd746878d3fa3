// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/output_file.hpp"

#include "vectordb/cli/output.hpp"
#include <asyncio/exceptions.hpp>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace vectordb::cli {

using namespace asyncio;
namespace fs = std::filesystem;

namespace {

constexpr int kMostLinks = 40;  // as the kernel's

/// What a link names, whether that is there or not.
std::string target_of(fs::path path) {
  std::error_code none;
  for (int links = 0; links < kMostLinks && fs::is_symlink(path, none); ++links)
    path = path.parent_path() / fs::read_symlink(path);
  return path.string();
}

bool is_standard_output(const struct stat& file) {
  struct stat output{};
  return ::fstat(STDOUT_FILENO, &output) == 0 && output.st_dev == file.st_dev &&
         output.st_ino == file.st_ino;
}

/// As open() would give it to a new file.
::mode_t default_mode() {
  const ::mode_t mask = ::umask(0);  // there is no other way to ask for it
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

// Of an OutputFile(), so that one whose beginning fails is destroyed as well.
OutputFile::OutputFile(const std::string& path) : OutputFile() {
  path_ = path;
  if (path == "-") return;
  struct stat found{};
  const bool exists = ::stat(path.c_str(), &found) == 0;
  if (!exists && errno != ENOENT) fail();
  if (exists && is_standard_output(found)) return;  // "> points" and "-o /dev/stdout"
  if (exists && !S_ISREG(found.st_mode))
    file_.reset(std::fopen(path.c_str(), "we"));
  else
    open_beside(exists ? &found : nullptr);
  if (!file_) fail();
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

/// `replaced` is null if there is none.
void OutputFile::open_beside(const struct stat* replaced) {
  path_ = target_of(path_);
  std::string name = path_ + ".XXXXXX";
  termination_.emplace();  // before there is something to remove
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) fail();
  temporary_ = std::move(name);
  // Where the user or the file system may not do that, it stays the user's own.
  [[maybe_unused]] int kept =
      replaced ? ::fchown(descriptor, replaced->st_uid, replaced->st_gid) : 0;
  kept = ::fchmod(descriptor, replaced ? replaced->st_mode & 07777 : default_mode());
  file_.reset(::fdopen(descriptor, "w"));
}

void OutputFile::write(std::string_view text) {
  if (!file_) return print(text);
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) fail();
}

bool OutputFile::is_terminal() const noexcept {
  return ::isatty(::fileno(file_ ? file_.get() : stdout)) == 1;
}

void OutputFile::close() {
  if (!file_) return flush_output();
  if (std::fflush(file_.get()) != 0) fail();
  if (!temporary_.empty()) {
    if (::fsync(::fileno(file_.get())) != 0) fail();
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    temporary_.clear();
  }
  if (std::fclose(file_.release()) != 0) fail();
}

void OutputFile::fail() const { throw OSError(errno, "cannot write to " + path_); }

}  // namespace vectordb::cli
