// SPDX-License-Identifier: BSL-1.0
#include "child_pipes.hpp"

#include "asyncio/detail/net/reader_state.hpp"
#include "asyncio/exceptions.hpp"
#include "spawn.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace asyncio::detail {

ChildPipes::ChildPipes(Backend& backend, const SubprocessOptions& options)
    : parent_{OwnedSocket(backend, -1), OwnedSocket(backend, -1), OwnedSocket(backend, -1)} {
  check_limit(options.get_limit());
  if (!backend.has_system_descriptors())
    throw RuntimeError("subprocesses need an event loop on the system, not a simulated one");
  try {
    for (std::size_t i = 0; i < child_.size(); ++i) {
      const auto& wanted = options.get_standard(static_cast<int>(i));
      if (!wanted) continue;
      if (wanted->second >= 0)
        child_[i] = wanted->second;
      else
        redirect(backend, i, wanted->first, options.get_pipesize());
    }
  } catch (const std::exception&) {
    close_child_ends();
    throw;
  }
}

void ChildPipes::redirect(Backend& backend, std::size_t which, Redirection where, int pipesize) {
  if (where == Redirection::stdout_) {
    if (which != 2) throw ValueError("STDOUT can only be used for stderr");
    child_[2] = child_[1] >= 0 ? child_[1] : STDOUT_FILENO;
    return;
  }
  if (where == Redirection::devnull) {
    child_[which] = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (child_[which] < 0) throw_os_error(errno, "open /dev/null");
    ours_[which] = true;
    return;
  }
  int ends[2];
  auto make = [&] { return ::pipe2(ends, O_CLOEXEC); };
  if (backend.outside(SystemCall::pipe2, make) != 0)
    throw_os_error(errno, "pipe to a child process");
  bool child_reads = which == 0;
  child_[which] = ends[child_reads ? 0 : 1];
  ours_[which] = true;
  parent_[which] = OwnedSocket(backend, ends[child_reads ? 1 : 0]);
  if (int error = backend.adopt(parent_[which].get()); error < 0)
    throw_os_error(-error, "pipe to a child process");
  if (pipesize > 0 && ::fcntl(parent_[which].get(), F_SETPIPE_SZ, pipesize) < 0)
    throw_os_error(errno, "pipe of " + std::to_string(pipesize) + " bytes to a child process");
}

void ChildPipes::close_child_ends() noexcept {
  for (std::size_t i = 0; i < child_.size(); ++i)
    if (std::exchange(ours_[i], false)) ::close(child_[i]);
}

std::shared_ptr<ChildState> start_child(Backend& backend, const SubprocessOptions& options,
                                        const std::vector<std::string>& args, ChildPipes& pipes) {
  auto child = std::make_shared<ChildState>(backend);
  Spawned spawned = spawn_process(backend, options, args, pipes.child_ends());
  pipes.close_child_ends();
  child->watch(spawned);
  return child;
}

}  // namespace asyncio::detail
